import { messageOf, WharfError } from '@wharf/kit/errors';
import type { CliContext } from '../../cli/context.ts';
import { ExitError, USAGE_STATUS } from '../../cli/errors.ts';
import type { FlagTable, FlagValues } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { withoutTrust } from '../../images/trust-flag.ts';
import { refuse } from '../values/refuse.ts';
import { type CreateBody, createBody } from './body.ts';
import { createContainer } from './create-container.ts';
import { fetchImage } from './fetch-image.ts';
import { CONTAINER_FLAGS, CREATION_FLAGS } from './flags.ts';
import { proxiesFor } from './proxies.ts';

const PULL = ['always', 'missing', 'never'];

/** The flags of `create`, and most of those of `run`. */
export const CREATE_FLAGS = {
  ...CONTAINER_FLAGS,
  ...CREATION_FLAGS,
  pull: {
    kind: 'string',
    default: 'missing',
    complete: PULL,
    help: 'Pull image before creating ("always", "|missing", "never")',
  },
} as const satisfies FlagTable;

/** What of a command's context is needed: that of `create`, or of `run`, which has more flags. */
export type CreateContext = Pick<
  CliContext<typeof CREATE_FLAGS>,
  'args' | 'out' | 'err' | 'signal' | 'program' | 'commandPath' | 'configDirectory' | 'endpoint' | 'client'
> & {
  readonly flags: FlagValues<typeof CREATE_FLAGS>;
  given(flag: 'init' | 'stop-timeout'): boolean;
};

/** What the line asks for. Throws what makes no sense as docker does: with where to read on, status 125. */
export async function bodyFromLine(context: CreateContext): Promise<CreateBody> {
  const { flags, args } = context;
  const [image = '', ...command] = args;
  // The daemon's address decides about proxies, so a wrong one is heard first, as with docker.
  const { host } = context.endpoint();
  try {
    checkPull(flags.pull);
    for (const { warnings } of flags.mount) for (const warning of warnings) context.err.line(`WARNING: ${warning}`);
    return createBody({
      flags,
      given: givenOf(context),
      image,
      command,
      directory: process.cwd(),
      env: process.env,
      proxies: proxiesFor(readSettings(context.configDirectory), host),
    });
  } catch (error) {
    if (!(error instanceof WharfError)) throw error;
    throw new ExitError(USAGE_STATUS, withHelp(context, messageOf(error)));
  }
}

/** Makes the container of a body; returns its id. */
export async function createFromLine(context: CreateContext, body: CreateBody): Promise<string> {
  const { flags, out, err, signal } = context;
  withoutTrust(flags['disable-content-trust']);
  const platform = await platformOf(flags.platform ?? process.env['DOCKER_DEFAULT_PLATFORM']);
  const client = await context.client();
  const withSocket = flags['use-api-socket']
    ? await (await import('./api-socket.ts')).withApiSocket(body, client.host)
    : undefined;
  const container = await createContainer({
    ...{ client, platform, out, err, signal },
    ...{ name: flags.name, pull: flags.pull || 'missing', quiet: flags.quiet },
    body: withSocket?.body ?? body,
    fetch: (image) => fetchImage({ client, image, platform, quiet: flags.quiet, err, signal }),
  });
  await withSocket?.finish(client, container);
  return container;
}

async function platformOf(text: string | undefined): Promise<string | undefined> {
  return text === undefined || text === '' ? undefined : (await import('./platform.ts')).platformQuery(text);
}

/** Docker's way to say what went wrong in `run` and `create`; what can be done about it is said under our own name. */
export function withHelp(
  { program, commandPath }: Pick<CreateContext, 'program' | 'commandPath'>,
  message: string,
  hint?: string,
): string {
  const verb = commandPath.split(' ').at(-1) ?? '';
  const more = hint === undefined || program === 'docker' ? '' : `\n${hint}`;
  return `${program}: ${message}${more}\n\nRun '${program} ${verb} --help' for more information`;
}

function givenOf(context: CreateContext): ReadonlySet<string> {
  return new Set((['init', 'stop-timeout'] as const).filter((name) => context.given(name)));
}

function checkPull(pull: string): void {
  if (pull === '' || PULL.includes(pull)) return;
  throw refuse(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
}
