import { existsSync } from 'node:fs';
import { redact, WharfError } from '@wharf/kit';
import { runTool } from '@wharf/linux/run-tool';

/** How one repository is reached. */
export interface GitAccess {
  /** Header lines for the host of a URL, by the URL's beginning: `https://host/`. */
  readonly headers: ReadonlyMap<string, string>;
  /** A socket that leads to the client's ssh agent. */
  readonly agent: string | undefined;
  /** Where keys of ssh hosts are noted when they are first seen. */
  readonly knownHosts: string;
}

const DEADLINE_MS = 10 * 60_000;
const PLACES = ['/usr/bin/git', '/usr/local/bin/git'];
/** What a remote repository may be fetched with; never `file` or `ext`, which would reach this host. */
const REMOTE_PROTOCOLS = 'https:http:git:ssh';

/**
 * What holds for every command: nobody's configuration but this, no hook, no helper, no prompt, no automatic work in the background. What
 * a repository brings (attributes, .gitmodules) can then name no program to run.
 */
const CONFIG: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.protectNTFS', 'true'],
  ['core.protectHFS', 'true'],
  ['credential.helper', ''],
  ['protocol.version', '2'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
  ['init.defaultBranch', 'main'],
  ['safe.directory', '*'],
  ['submodule.recurse', 'false'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '120'],
];

/**
 * Runs git and returns what it writes. Throws `unavailable` with git's own words, credentials hidden; `failed-precondition` when git is not
 * installed.
 * @param protocols what transports may be used, `file` for our own copy of a repository
 */
export async function git(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly access?: GitAccess | undefined;
    readonly protocols?: string;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const path = PLACES.find((place) => existsSync(place));
  if (path === undefined) {
    throw new WharfError('failed-precondition', 'Cannot fetch a git repository: "git" is not installed', {
      hint: 'apt-get install git',
    });
  }
  const { cwd, access, protocols = REMOTE_PROTOCOLS, signal } = options;
  const env = environment(access, protocols);
  const result = await runTool({
    path,
    argv: ['git', ...args],
    cwd,
    env,
    timeoutMs: DEADLINE_MS,
    withDescendants: true,
    signal,
  });
  if (result.code === 0) return result.stdout.toString('utf8');
  const said = hideSecrets(result.stderr.toString('utf8').trim(), access);
  const command = args.find((word) => !word.startsWith('-')) ?? '';
  throw new WharfError('unavailable', `git ${command} failed: ${said}`);
}

function environment(access: GitAccess | undefined, protocols: string): Readonly<Record<string, string | undefined>> {
  // In the environment, since arguments are seen by everybody on the machine.
  const headers = [...(access?.headers ?? [])].map(([prefix, line]) => [`http.${prefix}.extraHeader`, line] as const);
  const config = [...CONFIG, ...headers];
  const numbered = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ]);
  // The client's agent only: keys of the user the daemon runs as are not a build's.
  const ssh = [
    'BatchMode=yes',
    'StrictHostKeyChecking=accept-new',
    'IdentityFile=none',
    'ForwardAgent=no',
    'LogLevel=ERROR',
  ];
  if (access !== undefined) ssh.push(`UserKnownHostsFile=${access.knownHosts}`);
  return {
    PATH: process.env['PATH'],
    // A .netrc of the daemon's, or one that a repository brought, is nobody's business.
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_ALLOW_PROTOCOL: protocols,
    GIT_SSH_COMMAND: ['ssh -F /dev/null', ...ssh.map((option) => `-o '${option}'`)].join(' '),
    GIT_SSH_VARIANT: 'ssh',
    ...(access?.agent === undefined ? {} : { SSH_AUTH_SOCK: access.agent }),
    ...proxies(),
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(numbered),
  };
}

/** The daemon's own way out. */
function proxies(): Readonly<Record<string, string | undefined>> {
  const names = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY', 'SSL_CERT_FILE'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function hideSecrets(text: string, access: GitAccess | undefined): string {
  let hidden: string = redact(text);
  for (const line of access?.headers.values() ?? [])
    hidden = hidden.replaceAll(line.split(' ').at(-1) ?? line, 'xxxxx');
  return hidden;
}
