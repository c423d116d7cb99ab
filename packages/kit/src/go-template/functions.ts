import type { GoType } from './types.ts';
import type { GoValue, MaybeValue } from './value.ts';

/** A function of templates. Parameters of kind `value` take anything, even what is not there; others are checked as Go does. */
export interface GoFunction {
  readonly parameters: readonly (GoType | 'value')[];
  /** The type of each further argument; absent: there are none. */
  readonly more?: GoType | 'value';
  /** Given values of the types asked for; a nil one is `undefined`. Throws an Error whose message Go would give. */
  readonly call: (...values: readonly MaybeValue[]) => MaybeValue;
}

export type GoFunctions = Readonly<Record<string, GoFunction>>;

export type { GoValue };
