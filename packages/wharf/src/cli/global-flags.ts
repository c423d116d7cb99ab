import { clientConfigDirectory } from '@wharf/wire/docker-client/config-directory';
import type { EndpointChoice } from '@wharf/wire/docker-client/endpoint';
import { ExitError } from './errors.ts';
import type { FlagTable, FlagValues } from './flags.ts';

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
const MORE_LEVELS = [...LEVELS, 'warning', 'panic', 'trace'];

/** The flags before the first command: docker's, and `--json`. */
export const GLOBAL_FLAGS = {
  config: { kind: 'string', help: 'Location of client config files', complete: 'directory' },
  context: {
    kind: 'string',
    short: 'c',
    help: 'Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker context use")',
    complete: 'context',
  },
  debug: { kind: 'bool', short: 'D', help: 'Enable debug mode' },
  host: { kind: 'list', short: 'H', help: 'Daemon socket to connect to' },
  json: { kind: 'bool', help: 'Answer in JSON, where a command lists or shows something' },
  'log-level': {
    kind: 'string',
    short: 'l',
    default: 'info',
    help: 'Set the logging level ("debug", "info", "warn", "error", "fatal")',
    complete: LEVELS,
  },
  tls: { kind: 'bool', help: 'Use TLS; implied by --tlsverify' },
  tlscacert: { kind: 'string', help: 'Trust certs signed only by this CA', complete: 'file' },
  tlscert: { kind: 'string', help: 'Path to TLS certificate file', complete: 'file' },
  tlskey: { kind: 'string', help: 'Path to TLS key file', complete: 'file' },
  tlsverify: { kind: 'bool', help: 'Use TLS and verify the remote' },
  version: { kind: 'bool', short: 'v', help: 'Print version information and quit' },
} as const satisfies FlagTable;

export interface Globals {
  readonly values: FlagValues<typeof GLOBAL_FLAGS>;
  readonly given: ReadonlySet<string>;
}

/** The flags for the help of the program, with the defaults that hold here and now. */
export function globalFlagsWithDefaults(): FlagTable {
  const directory = clientConfigDirectory();
  const certificates = process.env['DOCKER_CERT_PATH'] || directory;
  const shown = (path: string) => ({ shownDefault: JSON.stringify(path) });
  return {
    ...GLOBAL_FLAGS,
    config: { ...GLOBAL_FLAGS.config, ...shown(directory) },
    tlscacert: { ...GLOBAL_FLAGS.tlscacert, ...shown(`${certificates}/ca.pem`) },
    tlscert: { ...GLOBAL_FLAGS.tlscert, ...shown(`${certificates}/cert.pem`) },
    tlskey: { ...GLOBAL_FLAGS.tlskey, ...shown(`${certificates}/key.pem`) },
  };
}

/** Looks at what can be wrong with the values, and makes `--config` hold for everything that asks for the directory. */
export function applyGlobals({ values }: Globals): void {
  if (!MORE_LEVELS.includes(values['log-level'])) {
    throw new ExitError(1, `Unable to parse logging level: ${values['log-level']}`);
  }
  if (values.host.length > 1) {
    throw new ExitError(1, 'Failed to initialize: unable to resolve docker endpoint: Specify only one -H');
  }
  if (values.host.length > 0 && values.context !== undefined) {
    throw new ExitError(1, 'conflicting options: cannot specify both --host and --context');
  }
  if (values.config !== undefined) process.env['DOCKER_CONFIG'] = values.config;
}

/** What the flags say of the daemon's address. */
export function endpointChoice({ values, given }: Globals): EndpointChoice {
  const { tlscacert, tlscert, tlskey } = values;
  return {
    host: values.host[0],
    context: values.context,
    tls: {
      tls: given.has('tls') ? values.tls : undefined,
      verify: given.has('tlsverify') ? values.tlsverify : undefined,
      ...{ ca: tlscacert, cert: tlscert, key: tlskey },
    },
  };
}
