import { DirectiveReader, directiveOf } from '../dockerfile/directives.ts';
import { DockerfileError } from '../dockerfile/location.ts';

/** Which checks run, and whether a finding fails the build (Dockerfile reference, "check"). */
export interface CheckOptions {
  readonly skip: ReadonlySet<string> | 'all';
  readonly experimental: ReadonlySet<string> | 'all';
  readonly error: boolean;
}

const NOTHING: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };
const SWITCH = 'BUILDKIT_DOCKERFILE_CHECK';

/** The options of a build: the build argument stands in for the file's own `# check=` line. Throws a DockerfileError. */
export function checkOptions(dockerfile: string, buildArgs: ReadonlyMap<string, string>): CheckOptions {
  const given = buildArgs.get(SWITCH);
  const [text, place] =
    given === undefined ? [directiveOf(dockerfile, 'check') ?? '', 'check options'] : [given, SWITCH];
  try {
    return parseCheckOptions(text);
  } catch (error) {
    throw new DockerfileError(`failed to parse ${place}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reads `skip=A,B;error=true;experimental=all`. Throws a DockerfileError for an option that is not known. */
export function parseCheckOptions(text: string): CheckOptions {
  if (text.trim() === '') return NOTHING;
  const options = { ...NOTHING };
  for (const part of cut(text.trim(), ';', 3)) {
    const at = part.indexOf('=');
    if (at < 0) throw new DockerfileError(`invalid check option ${JSON.stringify(part)}`);
    const name = part.slice(0, at).trim();
    const value = part.slice(at + 1).trim();
    if (name === 'skip') options.skip = names(value);
    else if (name === 'experimental') options.experimental = names(value);
    else if (name === 'error') options.error = boolean(value, part);
    else throw new DockerfileError(`invalid check option ${JSON.stringify(name)}`);
  }
  return options;
}

/**
 * The options for one instruction: a remark right above it, `# check=skip=A why it is fine`, adds to those of the file. A remark
 * that cannot be read is only a remark.
 */
export function withRemarks(options: CheckOptions, remarks: readonly string[]): CheckOptions {
  for (const remark of remarks) {
    const directive = new DirectiveReader('').read(remark);
    if (directive?.name !== 'check') continue;
    try {
      const own = parseCheckOptions(directive.value.split(' ', 1)[0] ?? '');
      return {
        skip: union(options.skip, own.skip),
        experimental: union(options.experimental, own.experimental),
        error: options.error,
      };
    } catch {
      return options;
    }
  }
  return options;
}

function union(left: CheckOptions['skip'], right: CheckOptions['skip']): CheckOptions['skip'] {
  return left === 'all' || right === 'all' ? 'all' : left.union(right);
}

function names(value: string): CheckOptions['skip'] {
  return value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));
}

function boolean(value: string, part: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new DockerfileError(
    `failed to parse check option ${JSON.stringify(part)}: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}

/** At most `limit` pieces; the last keeps what is left. */
function cut(text: string, separator: string, limit: number): readonly string[] {
  const parts = text.split(separator);
  return parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}
