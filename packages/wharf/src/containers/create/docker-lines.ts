import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What docker 28.2.2 does with command lines of `docker create`, recorded at a socket: the body it sends, as far as it differs from that of
 * `create x`, or its refusal. `$DIR` stands for the working directory. For tests.
 */
interface DockerLines {
  readonly base: Body;
  readonly accepted: readonly AcceptedLine[];
  readonly refused: readonly RefusedLine[];
}

type Body = Readonly<Record<string, unknown>>;

interface AcceptedLine {
  readonly line: readonly string[];
  readonly query?: string;
  readonly body: Body;
}

interface RefusedLine {
  readonly line: readonly string[];
  readonly status: number;
  /** Up to the first empty line. */
  readonly stderr: string;
}

/** The variables that the lines are run with. */
export const LINE_ENVIRONMENT = { SETVAR: 'from client' };

const FILES: Readonly<Record<string, string>> = {
  env: '# a comment\n\n  FROM_FILE=value with blanks \nSETVAR\nNOPE_NOT_SET\nEMPTY=\n"QUOTED"="x"\n',
  labels: 'com.example.a=1\ncom.example.b\ncom.example.c=x y\n',
  'bad-env': 'GOOD=1\nnot good=2\n',
  'labels-bad': '=x\n',
  'seccomp.json': '{\n  "defaultAction": "SCMP_ACT_ALLOW",\n  "big": 12345678901234567890, "text": "a  \\" b"\n}\n',
};

/** A new directory with the files that the lines name. */
export function lineDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-lines-'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
  return directory;
}

/** The recording, for a working directory. */
export function dockerLines(directory: string): DockerLines {
  const text = readFileSync(new URL('./testdata/docker-lines.json', import.meta.url), 'utf8');
  return JSON.parse(text.replaceAll('$DIR', directory)) as DockerLines;
}

/** The whole body of a line. */
export function wholeBody({ base }: DockerLines, { body }: AcceptedLine): Body {
  return { ...base, ...body, HostConfig: { ...(base['HostConfig'] as Body), ...(body['HostConfig'] as Body) } };
}

/** A body as it can be compared: docker keeps variables and binds in maps, whose order is chance. */
export function comparable(body: unknown): unknown {
  const { Env, HostConfig, ...rest } = structuredClone(body) as Body & {
    readonly HostConfig: { readonly Binds: readonly string[] | null };
  };
  const sorted = (list: unknown): unknown => (Array.isArray(list) ? (list as readonly string[]).toSorted() : list);
  return { ...rest, Env: sorted(Env), HostConfig: { ...HostConfig, Binds: sorted(HostConfig.Binds) } };
}
