import { ExitError } from '../../cli/errors.ts';
import type { FlagValues } from '../../cli/flags.ts';
import type { PROJECT_FLAGS } from './project-flags.ts';

export type ProjectValues = FlagValues<typeof PROJECT_FLAGS>;
export type ProgressMode = 'live' | 'plain' | 'json' | 'quiet';

/** How a command shows what it does. */
export interface Appearance {
  readonly progress: ProgressMode;
  /** Colours of what goes to standard output (logs). */
  readonly colouredOut: boolean;
  /** Colours of what goes to standard error (progress). */
  readonly colouredErr: boolean;
}

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether `--ansi` was on the line. */
  readonly isAnsiGiven: boolean;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
}

/** Settles `--ansi`, `--progress`, their variables and NO_COLOR, in docker compose's order. Throws ExitError. */
export function appearanceOf(values: ProjectValues, surroundings: Surroundings): Appearance {
  const { env, isAnsiGiven, outIsTerminal, errIsTerminal } = surroundings;
  const ansi = ansiOf(values, env, isAnsiGiven);
  const isColourWanted = !env['NO_COLOR'];
  const coloured = (isTerminal: boolean): boolean =>
    isColourWanted && (ansi === 'always' || (ansi === 'auto' && isTerminal));
  return {
    progress: progressOf(values.progress || env['COMPOSE_PROGRESS'] || '', ansi, errIsTerminal),
    colouredOut: coloured(outIsTerminal),
    colouredErr: coloured(errIsTerminal),
  };
}

function ansiOf(values: ProjectValues, env: Surroundings['env'], isGiven: boolean): string {
  if (!values['no-ansi']) return isGiven ? values.ansi : (env['COMPOSE_ANSI'] ?? values.ansi);
  if (values.ansi !== 'auto') {
    throw new ExitError(1, 'cannot specify DEPRECATED "--no-ansi" and "--ansi". Please use only "--ansi"');
  }
  return 'never';
}

function progressOf(name: string, ansi: string, isTerminal: boolean): ProgressMode {
  switch (name) {
    case '':
    case 'auto':
      if (ansi === 'never') return 'plain';
      return isTerminal || ansi === 'always' ? 'live' : 'plain';
    case 'tty':
      if (ansi === 'never') throw new ExitError(1, "can't use --progress tty while ANSI support is disabled");
      return 'live';
    case 'plain':
      if (ansi === 'always') throw new ExitError(1, "can't use --progress plain while ANSI support is forced");
      return 'plain';
    case 'quiet':
    case 'none':
      return 'quiet';
    case 'json':
      return 'json';
    default:
      throw new ExitError(1, `unsupported --progress value "${name}"`, 'There are auto, tty, plain, json and quiet.');
  }
}

/** Docker compose's reading of a switch in a variable: `1`, `t`, `true` or `y` in any case. */
export function isTrue(text: string | undefined): boolean {
  return ['1', 't', 'true', 'y'].includes(text?.toLowerCase().trim() ?? '');
}
