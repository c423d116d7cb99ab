import { parseBytes } from '@wharf/kit/bytes';
import type { SshKey } from '../model/build.ts';
import type { ScalarKind } from '../model/fields.ts';
import type { EnvFile, Ulimit } from '../model/service.ts';
import { toBoolean, toFloat, toInt64 } from './casts.ts';
import { settleDuration } from './durations.ts';
import { splitWords } from './shell-words.ts';
import {
  byCodePoint,
  type Dict,
  define,
  Float,
  goString,
  goType,
  isDict,
  shortestFloat,
  type Value,
} from './values.ts';

const quiet = (): void => undefined;

/**
 * One attribute of the model from its canonical form. Undefined stands for what Go leaves out of JSON: empty, zero, false.
 * Throws an `Error` in the words of compose's decoder.
 */
export function decodeScalar(value: Value, kind: ScalarKind): unknown {
  const decoder = DECODERS[kind];
  return decoder(value);
}

const DECODERS: Readonly<Record<ScalarKind, (value: Value) => unknown>> = {
  string: (value) => nonEmpty(asText(value)),
  bool: (value) => (asBoolean(value) ? true : undefined),
  'bool?': asBoolean,
  int: (value) => nonZero(asInteger(value, 'int64')),
  'int?': (value) => asInteger(value, 'int'),
  uint: (value) => nonZero(asUnsigned(value)),
  'uint?': asUnsigned,
  float: (value) => nonZero(asFloat(value)),
  bytes: (value) => asBytes(value),
  duration: (value) => {
    const text = settleDuration(goString(value));
    return text === '0s' ? undefined : text;
  },
  'duration?': (value) => settleDuration(goString(value)),
  mode: asMode,
  count: (value) => nonZero(asCount(value)),
  strings: (value) => nonEmptyList(listOf(value).map(asText)),
  texts: (value) => nonEmptyList(listOf(value).map(goString)),
  command: (value) => (typeof value === 'string' ? splitWords(value) : listOf(value).map(asText)),
  test: (value) => nonEmptyList(typeof value === 'string' ? ['CMD-SHELL', value] : listOf(value).map(asText)),
  labels: (value) => mapping(value, (item) => (item === null ? '' : goString(item)), ''),
  mapping: (value) => mapping(value, (item) => (item === null ? '' : goString(item)), ''),
  variables,
  options: (value) => mapping(value, (item) => (item === null ? '' : goString(item)), ''),
  'text-map': (value) => mapping(value, asText, ''),
  'multi-options': (value) =>
    mapping(value, (item) => (Array.isArray(item) ? item.map(goString) : [goString(item)]), []),
  hosts,
  ssh,
  'env-files': envFiles,
  ulimits: (value) => mapping(value, ulimit, 0),
};

function unconvertible(value: Value, type: string): Error {
  return new Error(`expected type '${type}', got unconvertible type '${goType(value)}'`);
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function nonZero(number: number): number | undefined {
  return number === 0 ? undefined : number;
}

function nonEmptyList<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? value : [value];
}

function asText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw unconvertible(value, 'string');
}

function asBoolean(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return toBoolean(value, quiet) === true;
  throw unconvertible(value, 'bool');
}

function asInteger(value: Value, type: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Float) return Math.trunc(value.value);
  if (typeof value === 'string') return Number(toInt64(value, quiet));
  throw unconvertible(value, type);
}

function asUnsigned(value: Value): number {
  const number = asInteger(value, 'uint64');
  if (number < 0) throw new Error(`cannot parse, ${number} overflows uint`);
  return number;
}

function asFloat(value: Value): number {
  const number = typeof value === 'string' ? (toFloat(value, quiet) as Float) : value;
  if (number instanceof Float) return shortestFloat(Math.fround(number.value), 32);
  if (typeof number === 'number' || typeof number === 'bigint') return shortestFloat(Math.fround(Number(number)), 32);
  throw unconvertible(value, 'float32');
}

/** Sizes of other types than these count as none, as in compose. */
function asBytes(value: Value): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value === 0 ? undefined : String(value);
  if (typeof value !== 'string') return undefined;
  const bytes = /^-1$/.test(value) ? -1 : parseBytes(value);
  return bytes === 0 ? undefined : String(bytes);
}

/** Octal digits in a text, or a number that YAML read (`0440` is octal to YAML, too). */
function asMode(value: Value): string {
  if (typeof value === 'number') return `0${value.toString(8)}`;
  if (typeof value !== 'string') throw new Error(`unexpected value type ${goType(value)} for mode`);
  if (!/^[-+]?[0-7]+$/.test(value))
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return `0${Number.parseInt(value, 8).toString(8)}`;
}

function asCount(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') throw new Error(`invalid type ${goType(value)} for device count`);
  if (value.toLowerCase() === 'all') return -1;
  if (!/^[-+]?\d+$/.test(value))
    throw new Error(`invalid value ${JSON.stringify(value)}, the only value allowed is 'all' or a number`);
  return Number(value);
}

/** A mapping, or a list of `key=value`. */
function mapping<T>(value: Value, item: (value: Value) => T, empty: T): Record<string, T> | undefined {
  const result: Record<string, T> = {};
  if (isDict(value)) for (const key of Object.keys(value)) define(result, key, item(value[key] ?? null));
  else if (Array.isArray(value))
    for (const entry of value) {
      const text = goString(entry);
      const at = text.indexOf('=');
      if (at === -1) define(result, text, empty);
      else define(result, text.slice(0, at), item(text.slice(at + 1)));
    }
  else throw new Error(`unexpected value type ${goType(value)} for mapping`);
  return Object.keys(result).length === 0 ? undefined : result;
}

function variables(value: Value): Record<string, string | null> | undefined {
  if (Array.isArray(value))
    for (const entry of value) {
      const name = goString(entry).split('=')[0] ?? '';
      if (/\s$/.test(name)) throw new Error(`environment variable ${name} is declared with a trailing space`);
    }
  return mapping<string | null>(value, (item) => (item === null ? null : goString(item)), null);
}

/** `host=address` for each address, sorted. */
function hosts(value: Value): readonly string[] | undefined {
  const pairs: [string, string][] = [];
  if (isDict(value)) {
    for (const host of Object.keys(value))
      for (const address of listOf(value[host] ?? '')) pairs.push([host, goString(address)]);
  } else
    for (const item of listOf(value)) {
      const text = goString(item);
      const separator = text.includes('=') ? '=' : ':';
      const at = text.indexOf(separator);
      if (at === -1) throw new Error(`invalid additional host, missing IP: ${text}`);
      for (const address of text.slice(at + 1).split(',')) pairs.push([text.slice(0, at), address]);
    }
  for (const [host] of pairs) if (host === '' || /[:=]/.test(host)) throw new Error(`bad host name '${host}'`);
  const list = pairs.map(([host, address]) => `${host}=${address.replace(/^\[(.+)\]$/, '$1')}`);
  return nonEmptyList(list.sort(byCodePoint));
}

function ssh(value: Value): readonly SshKey[] | undefined {
  if (!isDict(value)) throw new Error(`invalid ssh config type ${goType(value)}`);
  return nonEmptyList(
    Object.keys(value)
      .sort(byCodePoint)
      .map((id) => {
        const path = value[id] ?? null;
        return path === null || path === '' ? { id } : { id, path: goString(path) };
      }),
  );
}

function envFiles(value: Value): readonly EnvFile[] | undefined {
  return nonEmptyList(
    listOf(value)
      .filter((item): item is Dict => isDict(item))
      .map((item) => {
        const required = item['required'] === undefined ? true : asBoolean(item['required'] ?? true);
        const file = { path: asText(item['path'] ?? ''), required };
        const format = item['format'];
        return typeof format === 'string' && format !== '' ? { ...file, format } : file;
      }),
  );
}

function ulimit(value: Value): Ulimit {
  if (!isDict(value)) {
    const single = asInteger(value, 'int');
    return single === 0 ? {} : single;
  }
  const soft = asInteger(value['soft'] ?? 0, 'int');
  const hard = asInteger(value['hard'] ?? 0, 'int');
  return { ...(soft === 0 ? {} : { soft }), ...(hard === 0 ? {} : { hard }) };
}
