import type { FlagTable } from '../../cli/flags.ts';

/** The flags that stand between `compose` and the verb; the short forms `wharf up` and `wharf down` have them among their own. */
export const PROJECT_FLAGS = {
  'all-resources': { kind: 'bool', help: 'Include all resources, even those not used by services' },
  ansi: {
    kind: 'string',
    default: 'auto',
    help: 'Control when to print ANSI control characters ("never"|"always"|"auto")',
    complete: ['never', 'always', 'auto'],
  },
  compatibility: { kind: 'bool', help: 'Run compose in backward compatibility mode' },
  'dry-run': { kind: 'bool', help: 'Execute command in dry run mode' },
  'env-file': { kind: 'list', type: 'stringArray', help: 'Specify an alternate environment file', complete: 'file' },
  file: { kind: 'list', short: 'f', type: 'stringArray', help: 'Compose configuration files', complete: 'file' },
  parallel: { kind: 'int', default: -1, help: 'Control max parallelism, -1 for unlimited' },
  profile: { kind: 'list', type: 'stringArray', help: 'Specify a profile to enable', complete: 'profile' },
  progress: {
    kind: 'string',
    default: '',
    help: 'Set type of progress output (auto, tty, plain, json, quiet)',
    complete: ['auto', 'tty', 'plain', 'json', 'quiet'],
  },
  'project-directory': {
    kind: 'string',
    help: 'Specify an alternate working directory\n(default: the path of the, first specified, Compose file)',
    complete: 'directory',
  },
  'project-name': { kind: 'string', short: 'p', help: 'Project name' },
  workdir: { kind: 'string', hidden: true, help: '' },
  'no-ansi': { kind: 'bool', hidden: true, help: '' },
  verbose: { kind: 'bool', hidden: true, help: '' },
} as const satisfies FlagTable;
