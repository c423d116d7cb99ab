import type { FlagTable } from '../cli/flags.ts';
import { CREATE_FLAGS } from './create/from-line.ts';

/** The flags of `run`. */
export const RUN_FLAGS = {
  ...CREATE_FLAGS,
  detach: { kind: 'bool', short: 'd', help: 'Run container in background and print container ID' },
  'detach-keys': { kind: 'string', help: 'Override the key sequence for detaching a container' },
  pull: { ...CREATE_FLAGS.pull, help: 'Pull image before running ("always", "missing", "never")' },
  'sig-proxy': { kind: 'bool', default: true, help: 'Proxy received signals to the process' },
} as const satisfies FlagTable;
