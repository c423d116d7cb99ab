import { WharfError } from '@wharf/kit/errors';
import { ExitError } from '../cli/errors.ts';

interface Hint {
  readonly when: RegExp;
  readonly say: (found: RegExpExecArray) => string;
}

const HINTS: readonly Hint[] = [
  {
    when: /The container name "\/?([^"]+)" is already in use/,
    say: ([, name]) => `Remove it with wharf rm -f ${name}, or choose another --name.`,
  },
  {
    when: /(?:Bind for \S*?:|listen (?:tcp|udp)\d? \S*?:|port )(\d+)\b.*(?:port is already allocated|address already in use)/,
    say: ([, port]) =>
      `See who has it with wharf ps --filter publish=${port} (or ss -lntup), or publish another: -p OTHER:PORT.`,
  },
  {
    when: /exec: "([^"]+)": (?:executable file not found|stat .*no such file or directory)/,
    say: ([, program]) => `The image has no program "${program}". Options of wharf run stand before the image's name.`,
  },
  {
    when: /exec: "([^"]+)".*(?:permission denied|is a directory)/,
    say: ([, program]) =>
      `"${program}" is no program that may be run there: it needs the x permission, and must be a file.`,
  },
  {
    when: /pull access denied|repository does not exist|manifest unknown|not found: manifest/,
    say: () => 'Check the name and the tag; for a private image, wharf login to its registry first.',
  },
  {
    when: /no such host|failed to do request: Head/,
    say: () => "The image's registry cannot be reached: check its name, DNS and proxies of the daemon.",
  },
  {
    when: /network (\S+) not found/,
    say: ([, name]) => `Make it with wharf network create ${name}, or see what is there with wharf network ls.`,
  },
  {
    when: /bind source path does not exist: (\S+)/,
    say: ([, path]) => `Make ${path} first, or use -v, which makes a directory that is missing.`,
  },
];

/** What can be done about a failure of run, create or start; `undefined` where the words of the daemon must do. */
export function hintFor(message: string): string | undefined {
  for (const { when, say } of HINTS) {
    const found = when.exec(message);
    if (found !== null) return say(found);
  }
  return undefined;
}

/** An error with what can be done about it, where it has none yet. */
export function withHint(error: unknown): unknown {
  if (!(error instanceof WharfError) || error instanceof ExitError || error.hint !== undefined) return error;
  const hint = hintFor(error.message);
  return hint === undefined ? error : new ExitError(1, error.message, hint);
}
