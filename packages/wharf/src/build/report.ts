import { WharfError } from '@wharf/kit';
import { GrpcError } from '@wharf/wire/grpc/status';
import { REPORTED_LINES } from './limits.ts';
import type { BuildModel, Step } from './model.ts';
import type { Paint } from './view/paint.ts';
import { fit, plainLine } from './view/text.ts';

interface Source {
  readonly filename: string;
  readonly lines: readonly string[];
  readonly first: number;
  readonly last: number;
}

const SOURCE_TYPE = 'errdefs.Source';
/** Lines of the Dockerfile around those a fault lies on. */
const AROUND = 2;

/**
 * What is said of a build that failed: the last of the failed step's output, the lines of the Dockerfile it stands on, the error, and
 * what to do, in buildx's form.
 */
export function failureReport(
  error: unknown,
  given: {
    readonly model: BuildModel;
    readonly dockerfile: string;
    readonly paint: Paint;
    readonly columns: number;
    /** A shell has been open in the failed step already. */
    readonly hadShell: boolean;
  },
): string {
  const { model, paint, columns } = given;
  const failed = model.steps.find((step) => step.error !== '' && !/context canceled/.test(step.error));
  const blocks: string[] = [];
  if (failed !== undefined) blocks.push(...outputBlock(failed, columns));
  const source = error instanceof GrpcError ? sourceOf(error) : undefined;
  if (source !== undefined)
    blocks.push(...excerptBlock({ ...source, filename: given.dockerfile || source.filename }, paint));
  const message = error instanceof Error ? error.message : String(error);
  const prefix = error instanceof GrpcError ? 'failed to solve: ' : '';
  blocks.push(`${paint.bad('ERROR:')} ${prefix}${message}`);
  const hint = hintOf(error, given.hadShell ? undefined : failed);
  if (hint !== undefined) blocks.push(hint);
  return `${blocks.join('\n')}\n`;
}

/** What could be better in the Dockerfile, as buildx lists it; empty for nothing. */
export function warningReport({ warnings }: BuildModel): string {
  if (warnings.length === 0) return '';
  const found = warnings.length === 1 ? '1 warning found' : `${warnings.length} warnings found`;
  const lines = warnings.map((text) => ` - ${text}`);
  return `\n ${found} (use --check to see them in the Dockerfile):\n${lines.join('\n')}\n`;
}

function outputBlock(step: Step, columns: number): readonly string[] {
  if (step.lines.length === 0) return ['------', ` > ${fit(plainLine(step.name), columns - 4)}:`, '------'];
  const lines = step.lines
    .slice(-REPORTED_LINES)
    .map(({ atMs, text }) => `${(atMs / 1000).toFixed(3)} ${plainLine(text)}`);
  return ['------', ` > ${fit(plainLine(step.name), columns - 4)}:`, ...lines, '------'];
}

/** `3 | >>> RUN …` with the lines around. */
function excerptBlock({ filename, lines, first, last }: Source, paint: Paint): readonly string[] {
  const from = Math.max(1, first - AROUND);
  const to = Math.min(lines.length, last + AROUND);
  const rows: string[] = [];
  for (let number = from; number <= to; number += 1) {
    const isIn = number >= first && number <= last;
    const text = `${String(number).padStart(4)} | ${isIn ? '>>>' : '   '} ${lines[number - 1] ?? ''}`;
    rows.push(isIn ? paint.strong(text) : text);
  }
  return [`${filename}:${first}`, '--------------------', ...rows, '--------------------'];
}

/** Where a fault lies, as the error's details have it (BuildKit, errdefs.Source). */
function sourceOf(error: GrpcError): Source | undefined {
  for (const { type_url, value } of error.grpcDetails) {
    if (!type_url.includes(SOURCE_TYPE)) continue;
    try {
      return readSource(JSON.parse(Buffer.from(value).toString('utf8')));
    } catch {
      // A daemon that tells it in another form: the message is all there is.
      return undefined;
    }
  }
  return undefined;
}

function readSource(document: {
  readonly info?: { readonly filename?: string; readonly data?: string };
  readonly ranges?: readonly {
    readonly start?: { readonly line?: number };
    readonly end?: { readonly line?: number };
  }[];
}): Source | undefined {
  const { info, ranges = [] } = document;
  const [range] = ranges;
  if (info?.data === undefined || range?.start?.line === undefined) return undefined;
  const first = range.start.line;
  return {
    filename: info.filename ?? 'Dockerfile',
    lines: Buffer.from(info.data, 'base64').toString('utf8').trimEnd().split(/\r?\n/),
    ...{ first, last: Math.max(first, range.end?.line ?? first) },
  };
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/exit code: 127/, 'The command was not found in the image: is its package installed in an earlier step?'],
  // What went wrong while files were sent comes back through the daemon, without its hint.
  [/its name is no UTF-8/, 'Rename the file, or leave it out by .dockerignore.'],
  [/of the build context: (?:EACCES|EPERM)/, 'Leave it out by .dockerignore, or make it readable.'],
  [
    /vanished while the build context was read/,
    'Something writes into the context. Leave that out by .dockerignore, or build again.',
  ],
  [/exit code: 137/, 'The command was killed, perhaps because memory ran out.'],
  [
    /no space left on device/i,
    'The disk is full: `wharf builder prune` gives the cache back, `wharf disk` says what takes the space.',
  ],
  [
    /: not found$|no such file or directory/i,
    'COPY sees the context only: is the path right, and not left out by .dockerignore?',
  ],
  [/unauthorized|authentication required|denied/i, 'Log in first: docker login REGISTRY'],
  [/secret .*: not found/i, 'Lend it with --secret id=NAME,src=FILE.'],
  [/unset ssh forward key/i, 'Lend an agent with --ssh default.'],
];

function hintOf(error: unknown, failed: Step | undefined): string | undefined {
  if (error instanceof WharfError && error.hint !== undefined) return error.hint;
  const message = error instanceof Error ? error.message : '';
  const known = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  if (known !== undefined) return known;
  if (failed !== undefined && /did not complete successfully/.test(message)) {
    return 'To look at it where it failed: build again with --on-error shell.';
  }
  return undefined;
}
