import { ExitError } from '../../cli/errors.ts';
import type { FlagTable, FlagValues } from '../../cli/flags.ts';
import { CREATE_FLAGS, checkCreate } from './create-flags.ts';
import { LOG_FLAGS } from './log-flags.ts';

export const UP_FLAGS = {
  'abort-on-container-exit': {
    kind: 'bool',
    help: 'Stops all containers if any container was stopped. Incompatible with -d',
  },
  'abort-on-container-failure': {
    kind: 'bool',
    help: 'Stops all containers if any container exited with failure. Incompatible with -d',
  },
  'always-recreate-deps': { kind: 'bool', help: 'Recreate dependent containers. Incompatible with --no-recreate.' },
  attach: {
    kind: 'list',
    type: 'stringArray',
    help: 'Restrict attaching to the specified services. Incompatible with --attach-dependencies.',
    complete: 'service',
  },
  'attach-dependencies': { kind: 'bool', help: 'Automatically attach to log output of dependent services' },
  ...CREATE_FLAGS,
  detach: { kind: 'bool', short: 'd', help: 'Detached mode: Run containers in the background' },
  'dry-run': { kind: 'bool', help: 'Execute command in dry run mode' },
  'exit-code-from': {
    kind: 'string',
    default: '',
    help: 'Return the exit code of the selected service container. Implies --abort-on-container-exit',
    complete: 'service',
  },
  menu: {
    kind: 'bool',
    hidden: true,
    help: 'Enable interactive shortcuts when running attached',
  },
  'no-attach': {
    kind: 'list',
    type: 'stringArray',
    help: 'Do not attach (stream logs) to the specified services',
    complete: 'service',
  },
  ...LOG_FLAGS,
  'no-deps': { kind: 'bool', help: "Don't start linked services" },
  'no-start': { kind: 'bool', help: "Don't start the services after creating them" },
  'quiet-build': { kind: 'bool', help: 'Suppress the build output' },
  'renew-anon-volumes': {
    kind: 'bool',
    short: 'V',
    help: 'Recreate anonymous volumes instead of retrieving data from the previous containers',
  },
  timeout: {
    kind: 'int',
    short: 't',
    help: 'Use this timeout in seconds for container shutdown when attached or when containers are already running',
  },
  timestamps: { kind: 'bool', help: 'Show timestamps' },
  wait: { kind: 'bool', help: 'Wait for services to be running|healthy. Implies detached mode.' },
  'wait-timeout': {
    kind: 'int',
    default: 0,
    help: 'Maximum duration in seconds to wait for the project to be running|healthy',
  },
  watch: {
    kind: 'bool',
    short: 'w',
    help: 'Watch source code and rebuild/refresh containers when files are updated.',
  },
} as const satisfies FlagTable;

export type UpValues = FlagValues<typeof UP_FLAGS>;

/** What an exit of a container does to the others. */
export type OnExit = 'ignore' | 'stop' | 'stop-on-failure';

export interface UpMode {
  readonly isDetached: boolean;
  readonly onExit: OnExit;
}

/** Settles flags that imply others. Throws ExitError for those that exclude each other, in docker compose's words. */
export function upMode(values: UpValues): UpMode {
  const failure = values['abort-on-container-failure'];
  const exit = values['abort-on-container-exit'] || (values['exit-code-from'] !== '' && !failure);
  const attaches = values['attach-dependencies'] || values.attach.length > 0;
  refuse(exit && failure, '--abort-on-container-failure cannot be combined with --abort-on-container-exit');
  refuse(
    values.wait && (exit || attaches),
    '--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies',
  );
  checkCreate(values);
  const isDetached = values.detach || values.wait;
  refuse(
    isDetached && (attaches || exit || failure || values.watch),
    `--${values.wait ? 'wait' : 'detach'} cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch`,
  );
  const { 'no-recreate': noRecreate } = values;
  refuse(noRecreate && values['renew-anon-volumes'], '--no-recreate and --renew-anon-volumes are incompatible');
  refuse(noRecreate && values['always-recreate-deps'], '--always-recreate-deps and --no-recreate are incompatible');
  refuse(values['no-build'] && values.watch, '--no-build and --watch are incompatible');
  refuse(
    attaches && values['attach-dependencies'] && values.attach.length > 0,
    'cannot combine --attach and --attach-dependencies',
  );
  return { isDetached, onExit: exit ? 'stop' : failure ? 'stop-on-failure' : 'ignore' };
}

function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new ExitError(1, message);
}
