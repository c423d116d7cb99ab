import { isKind, messageOf, WharfError } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { ask, askSecret, readStandardInput } from '../../cli/ask.ts';
import { atMost, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { DOCKER_HUB_KEY, DockerConfig, hostOf, type RegistryLogin } from '../../client-config/docker-config.ts';
import { printNote } from '../../term/note.ts';

const SECRET_LIMIT_BYTES = 1024 * 1024;

interface Account {
  readonly user: string;
  readonly password: string;
}

/** `wharf login`: has the daemon try an account at a registry, and keeps it. */
export const login = defineCommand({
  usage: '[OPTIONS] [SERVER]',
  description: 'Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.',
  flags: {
    password: { kind: 'string', short: 'p', default: '', help: 'Password or Personal Access Token (PAT)' },
    'password-stdin': { kind: 'bool', help: 'Take the Password or Personal Access Token (PAT) from stdin' },
    username: { kind: 'string', short: 'u', default: '', help: 'Username' },
  },
  args: atMost(1),
  complete: ['none'],
  examples: [
    'wharf login registry.example.org',
    'pass show registry | wharf login -u me --password-stdin registry.example.org',
  ],
  run: async (context) => {
    const { flags } = context;
    checkFlags((name) => context.given(name), flags);
    const given = await accountOf(context, flags);
    const [server = ''] = context.args;
    const key = server === '' || server === 'docker.io' ? DOCKER_HUB_KEY : hostOf(server);
    const config = new DockerConfig();
    const isStored = given.user === '' && given.password === '';
    const stored = isStored ? await config.login(key).catch(() => undefined) : undefined;
    const daemon = await context.client();
    const work: Work = { context, config, daemon, key };
    if (stored?.username && stored.password && (await withStored(work, stored))) return;
    await withAccount(work, given, stored?.username ?? '');
  },
});

interface Work {
  readonly context: CliContext;
  readonly config: DockerConfig;
  readonly daemon: DockerClient;
  readonly key: string;
}

function checkFlags(
  isGiven: (name: 'username' | 'password' | 'password-stdin') => boolean,
  flags: {
    readonly username: string;
    readonly password: string;
  },
): void {
  const refuse = (message: string): never => {
    throw new WharfError('invalid-argument', message);
  };
  if (isGiven('password-stdin')) {
    if (isGiven('password')) refuse('conflicting options: cannot specify both --password and --password-stdin');
    if (!isGiven('username')) refuse('the --password-stdin option requires --username to be set');
  }
  if (isGiven('username') && flags.username === '') refuse('username is empty');
  if (isGiven('password') && flags.password === '') refuse('password is empty');
}

async function accountOf(
  { err }: CliContext,
  flags: { readonly username: string; readonly password: string; readonly 'password-stdin': boolean },
): Promise<Account> {
  const { username: user, password } = flags;
  if (password !== '') err.line('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
  if (!flags['password-stdin']) return { user, password };
  const text = await readStandardInput(SECRET_LIMIT_BYTES);
  return { user, password: text.replace(/\n$/, '').replace(/\r$/, '') };
}

/** Tries the account that is kept already; false where it does not do. */
async function withStored(work: Work, stored: RegistryLogin): Promise<boolean> {
  const { err } = work.context;
  err.line(`Authenticating with existing credentials... [Username: ${stored.username}]`);
  printNote(
    err,
    `To login with a different account, run '${work.context.program} logout' followed by '${work.context.program} login'`,
  );
  err.write('\n\n');
  try {
    await tryLogin(work, stored);
    return true;
  } catch (error) {
    const isRefused = isKind(error, 'unauthenticated');
    err.line(isRefused ? 'Stored credentials invalid or expired' : `Login did not succeed, error: ${messageOf(error)}`);
    return false;
  }
}

async function withAccount(work: Work, given: Account, knownUser: string): Promise<void> {
  const { isatty } = process.getBuiltinModule('node:tty');
  if ((given.user === '' || given.password === '') && !isatty(0)) {
    throw new WharfError('invalid-argument', 'Error: Cannot perform an interactive login from a non TTY device', {
      hint: 'Give the password on standard input: wharf login --username NAME --password-stdin',
    });
  }
  const question = knownUser === '' ? 'Username: ' : `Username (${knownUser}): `;
  const user = given.user.trim() || (await ask(work.context, question)) || knownUser;
  if (user === '') throw new WharfError('invalid-argument', 'Error: Non-null Username Required');
  const password = given.password.trim() || (await askSecret(work.context, 'Password: '));
  if (password === '') throw new WharfError('invalid-argument', 'Error: Password Required');
  await tryLogin(work, { username: user, password, identitytoken: '' });
}

async function tryLogin({ context, config, daemon, key }: Work, login: RegistryLogin): Promise<void> {
  const { username, password } = login;
  const body = { username, password, serveraddress: key };
  const answer = await daemon.json<{ readonly Status?: string; readonly IdentityToken?: string }>('POST', '/auth', {
    body,
  });
  const token = answer.IdentityToken ?? '';
  const kept = token === '' ? { ...login, identitytoken: '' } : { username, password: '', identitytoken: token };
  if (await config.store(key, kept)) {
    context.err.line(
      `\nWARNING! Your credentials are stored unencrypted in '${config.path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n`,
    );
  }
  if (answer.Status) context.out.line(answer.Status);
}
