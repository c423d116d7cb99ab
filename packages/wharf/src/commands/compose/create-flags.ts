import { noSuchService } from '@wharf/compose/load/select';
import type { Project } from '@wharf/compose/model/project';
import type { CreateOptions } from '@wharf/compose/run/runner';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable, FlagValues } from '../../cli/flags.ts';
import { goQuote } from './containers.ts';

/** Flags of whatever creates containers. */
export const CREATE_FLAGS = {
  build: { kind: 'bool', help: 'Build images before starting containers' },
  'force-recreate': { kind: 'bool', help: "Recreate containers even if their configuration and image haven't changed" },
  'no-build': { kind: 'bool', help: "Don't build an image, even if it's policy" },
  'no-recreate': {
    kind: 'bool',
    help: "If containers already exist, don't recreate them. Incompatible with --force-recreate.",
  },
  pull: {
    kind: 'string',
    default: 'policy',
    help: 'Pull image before running ("always"|"missing"|"never"|"build")',
    complete: ['always', 'missing', 'never', 'build'],
  },
  'quiet-pull': { kind: 'bool', help: 'Pull without printing progress information' },
  'remove-orphans': { kind: 'bool', help: 'Remove containers for services not defined in the Compose file' },
  scale: {
    kind: 'list',
    type: 'stringArray',
    help: 'Scale SERVICE to NUM instances. Overrides the `scale` setting in the Compose file if present.',
  },
  // `--y` is how docker compose spelt it once.
  y: { kind: 'bool', hidden: true, help: '', deprecated: 'please use --yes instead' },
  yes: { kind: 'bool', short: 'y', help: 'Assume "yes" as answer to all prompts and run non-interactively' },
} as const satisfies FlagTable;

export type CreateValues = FlagValues<typeof CREATE_FLAGS>;

const PULLS = ['always', 'never', 'build', 'missing', 'if_not_present'] as const;

/** Throws for flags that exclude each other, in docker compose's words. */
export function checkCreate(values: Pick<CreateValues, 'build' | 'no-build' | 'force-recreate' | 'no-recreate'>): void {
  if (values.build && values['no-build']) throw new ExitError(1, '--build and --no-build are incompatible');
  if (values['force-recreate'] && values['no-recreate']) {
    throw new ExitError(1, '--force-recreate and --no-recreate are incompatible');
  }
}

/** What the flags ask the runner for. Throws ExitError. */
export function createOptions(
  values: CreateValues,
  given: { readonly isPullGiven: boolean; readonly project: Project },
): CreateOptions {
  const { 'no-recreate': noRecreate, 'force-recreate': force } = values;
  return {
    ...(values.build ? { build: true } : values['no-build'] ? { build: false } : {}),
    ...(given.isPullGiven ? { pull: pullOf(values.pull) } : {}),
    recreate: noRecreate ? 'never' : force ? 'force' : 'diverged',
    recreateDependencies: noRecreate ? 'never' : 'diverged',
    scale: scaleOf(values.scale, given.project),
    assumeYes: values.yes || values.y,
  };
}

/** `--pull`. */
export function pullOf(text: string): NonNullable<CreateOptions['pull']> {
  const found = PULLS.find((each) => each === text);
  if (found === undefined) {
    throw new ExitError(1, `invalid --pull option ${goQuote(text)}`, 'There are always, missing, never and build.');
  }
  return found;
}

/** `--scale SERVICE=NUM`. */
function scaleOf(given: readonly string[], project: Project): Readonly<Record<string, number>> {
  const scale: Record<string, number> = {};
  for (const text of given) {
    const [service = '', number = '', ...more] = text.split('=');
    if (!text.includes('=') || more.length > 0) {
      throw new ExitError(1, `invalid --scale option ${goQuote(text)}. Should be SERVICE=NUM`);
    }
    if (!/^[+-]?\d+$/.test(number)) throw new ExitError(1, `strconv.Atoi: parsing ${goQuote(number)}: invalid syntax`);
    if (project.services[service] === undefined) throw noSuchService(service);
    scale[service] = Number(number);
  }
  return scale;
}
