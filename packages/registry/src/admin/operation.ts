import { WharfError } from '@wharf/kit';
import type { Directory } from '../access/directory.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Registry, RegistryParts } from '../registry.ts';
import type { Pulls } from '../retention/pulls.ts';
import type { Trash } from '../retention/trash.ts';
import type { Upstreams } from '../upstream/upstreams.ts';

/** What an operation's option looks like on a command line; `list` may be given several times. */
export type OptionKind = 'flag' | 'text' | 'number' | 'bytes' | 'duration' | 'list' | 'secret';

export type Input = Readonly<Record<string, unknown>>;

export interface AdminContext {
  readonly parts: RegistryParts;
  readonly directory: Directory;
  readonly hooks: Hooks;
  readonly pulls: Pulls;
  readonly trash: Trash;
  /** What looks after the whole of it; there once the registry is open. */
  readonly upkeep: () => Pick<Registry, 'collect' | 'verify'>;
  readonly upstreams: Upstreams;
}

/** Of the command that is being done: whoever gave it may leave, and may ask how far it is (`progress`). */
export interface Errand {
  readonly signal: AbortSignal | undefined;
  report(soFar: Readonly<Record<string, number | string>>): void;
}

/**
 * One thing an administrator may do, `<subject> <verb>`. The command line, the socket of a running registry and work on a stopped one all
 * read this table, so they can do the same.
 */
export interface Operation {
  readonly name: string;
  /** Names of what stands behind the verb, all required. */
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, OptionKind>>;
  readonly help: string;
  /** Throws `WharfError`. What it returns is JSON. */
  run(context: AdminContext, input: Input, errand: Errand): unknown;
  /** True for what may take long: a terminal shows how far it is. */
  readonly isLong?: boolean;
  /** True when a script should be told by the exit status that something is wrong. */
  readonly isBad?: (result: unknown) => boolean;
}

/** Throws `invalid-argument` for what an operation does not know or that is of the wrong kind, in the words of the command line. */
export function checkInput(operation: Operation, input: Input): void {
  for (const name of operation.arguments)
    if (typeof input[name] !== 'string' || input[name] === '')
      throw wrong(operation, `${name.toUpperCase()} is missing`);
  for (const [name, value] of Object.entries(input)) {
    if (operation.arguments.includes(name)) continue;
    const kind = Object.hasOwn(operation.options, name) ? operation.options[name] : undefined;
    if (kind === undefined) throw wrong(operation, `there is no option --${name}`);
    const fits =
      kind === 'flag'
        ? typeof value === 'boolean'
        : kind === 'list'
          ? Array.isArray(value) && value.every((each) => typeof each === 'string')
          : kind === 'text' || kind === 'secret'
            ? typeof value === 'string'
            : typeof value === 'number' && Number.isFinite(value) && value >= 0;
    if (!fits) throw wrong(operation, `--${name} makes no sense as ${JSON.stringify(value)}`);
  }
}

function wrong({ name }: Operation, what: string): WharfError {
  return new WharfError('invalid-argument', `Cannot do "${name}": ${what}`);
}

export function textOf(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === 'string' ? value : undefined;
}

/** Something that `checkInput` has seen to be there. */
export function argumentOf(input: Input, name: string): string {
  return textOf(input, name) ?? '';
}

export function flagOf(input: Input, name: string): boolean | undefined {
  const value = input[name];
  return typeof value === 'boolean' ? value : undefined;
}

export function numberOf(input: Input, name: string): number | undefined {
  const value = input[name];
  return typeof value === 'number' ? value : undefined;
}

export function listOf(input: Input, name: string): readonly string[] | undefined {
  const value = input[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : undefined;
}

export function notFound(what: string, name: string): WharfError {
  return new WharfError('not-found', `There is no ${what} "${name}"`);
}

export function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
