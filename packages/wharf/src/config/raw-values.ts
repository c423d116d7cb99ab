import { WharfError } from '@wharf/kit';
import type { Directive } from './schema.ts';

export interface RuntimeChoice {
  readonly path: string;
  readonly runtimeArgs: readonly string[];
}

export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

export interface AddressPool {
  readonly base: string;
  readonly size: number;
}

export type RawValue =
  | string
  | number
  | boolean
  | readonly string[]
  | Readonly<Record<string, string>>
  | Readonly<Record<string, RuntimeChoice>>
  | readonly Ulimit[]
  | readonly AddressPool[]
  | Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Checked values by the directive's flag name, from one source (command line or file). */
export type RawValues = Map<string, RawValue>;

/**
 * Parses one command line value into `values`; lists and maps grow. `where` ends the message of the error
 * (`for "--mtu" flag`). Throws `invalid-argument`.
 */
export function setRawValue(values: RawValues, directive: Directive, text: string, where: string): void {
  const name = directive.flag;
  const fail = (reason: string) => new WharfError('invalid-argument', `invalid argument "${text}" ${where}: ${reason}`);
  const problem = directive.check?.(text);
  switch (directive.kind) {
    case 'bool':
      if (!/^(1|0|t|f|true|false)$/i.test(text)) throw fail('must be true or false');
      values.set(name, /^(1|t|true)$/i.test(text));
      return;
    case 'int':
      if (!/^-?\d{1,15}$/.test(text)) throw fail('must be an integer');
      if (problem !== undefined) throw fail(problem);
      values.set(name, Number(text));
      return;
    case 'list':
      if (problem !== undefined) throw fail(problem);
      values.set(name, [...((values.get(name) as readonly string[] | undefined) ?? []), text]);
      return;
    case 'map': {
      const [key, value] = splitPair(text, fail);
      values.set(name, { ...(values.get(name) as Record<string, string> | undefined), [key]: value });
      return;
    }
    case 'runtimes': {
      const [key, path] = splitPair(text, fail);
      const known = values.get(name) as Record<string, RuntimeChoice> | undefined;
      if (key === 'runc') throw fail("runtime name 'runc' is reserved");
      if (known?.[key] !== undefined) throw fail(`runtime '${key}' was already defined`);
      values.set(name, { ...known, [key]: { path, runtimeArgs: [] } });
      return;
    }
    case 'ulimits': {
      const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
      if (match === null) throw fail('must be name=soft[:hard]');
      const ulimit = { name: match[1] ?? '', soft: Number(match[2]), hard: Number(match[3] ?? match[2]) };
      values.set(name, [...((values.get(name) as readonly Ulimit[] | undefined) ?? []), ulimit]);
      return;
    }
    case 'pools': {
      const match = /^(?:base=([^,]+),size=(\d+)|size=(\d+),base=([^,]+))$/.exec(text);
      if (match === null) throw fail('must be base=CIDR,size=BITS');
      const pool = { base: match[1] ?? match[4] ?? '', size: Number(match[2] ?? match[3]) };
      values.set(name, [...((values.get(name) as readonly AddressPool[] | undefined) ?? []), pool]);
      return;
    }
    case 'driver-options': {
      const [driver, option] = splitPair(text, fail);
      const [key, value] = splitPair(option, fail);
      const known = values.get(name) as Record<string, Record<string, string>> | undefined;
      values.set(name, { ...known, [driver]: { ...known?.[driver], [key]: value } });
      return;
    }
    case 'string':
      if (problem !== undefined && text !== '') throw fail(problem);
      values.set(name, text);
  }
}

function splitPair(text: string, fail: (reason: string) => WharfError): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0 || equals === text.length - 1) throw fail('must be key=value');
  return [text.slice(0, equals), text.slice(equals + 1)];
}
