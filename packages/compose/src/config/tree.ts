import { byCodePoint, Float, isDict, type Timestamp, type Value } from '../load/values.ts';
import type { SshKey } from '../model/build.ts';
import type { Field, Kind, Shape } from '../model/fields.ts';
import type { EnvFile, Ulimit } from '../model/service.ts';

/** What a writer prints: entries of a mapping stand in order. */
export type Tree = null | string | boolean | number | bigint | Float | Timestamp | readonly Tree[] | TreeMap;

export interface TreeMap {
  /** `sorted`: a Go map, whose order is the writer's; `fields`: a Go struct, in this order. */
  readonly order: 'sorted' | 'fields';
  readonly entries: readonly (readonly [string, Tree])[];
}

/** JSON and YAML differ in what they leave out and in a few spellings. */
export type Form = 'json' | 'yaml';

type Fields = Readonly<Record<string, unknown>>;

/** An object of the model as its shape says; in `json` without `x-` keys. */
export function shapeTree(model: object, shape: Shape, form: Form): TreeMap {
  const value = model as Fields;
  const entries: [string, Tree][] = [];
  for (const field of shape.fields) {
    const tree = fieldTree(value[field.key], field, form);
    if (tree !== undefined) entries.push([form === 'json' ? (field.json ?? field.key) : field.key, tree]);
  }
  if (form === 'yaml' && shape.extensible) entries.push(...extensionEntries(value, form));
  return { order: 'fields', entries };
}

/** The `x-` keys of an object, sorted as YAML sorts. */
export function extensionEntries(value: Fields, form: Form): [string, Tree][] {
  const keys = Object.keys(value).filter((key) => key.startsWith('x-'));
  return keys.sort(byNaturalOrder).map((key) => [key, plainTree(value[key] as Value, form)]);
}

/** Any value of a document. An empty list is none to Go's JSON. */
export function plainTree(value: Value, form: Form): Tree {
  if (Array.isArray(value))
    return value.length === 0 && form === 'json' ? null : value.map((item) => plainTree(item, form));
  if (!isDict(value)) return value;
  return { order: 'sorted', entries: Object.keys(value).map((key) => [key, plainTree(value[key] ?? null, form)]) };
}

function fieldTree(value: unknown, field: Field, form: Form): Tree | undefined {
  if (value === undefined) return absentTree(field, form);
  if (typeof field.kind === 'string') return scalarTree(value, field.kind, form);
  const { as, shape } = field.kind;
  // Only `develop: null` and its like come here as null; Go leaves a nil pointer out.
  if (value === null) return undefined;
  switch (as) {
    case 'object':
      return shapeTree(value as Fields, shape, form);
    case 'struct': {
      const tree = shapeTree(value as Fields, shape, form);
      return form === 'yaml' && tree.entries.length === 0 ? undefined : tree;
    }
    case 'list':
      return (value as readonly Fields[]).map((item) => shapeTree(item, shape, form));
    case 'map':
      return sorted(value as Readonly<Record<string, Fields | null>>, (item) =>
        item === null ? null : shapeTree(item, shape, form),
      );
  }
}

function absentTree(field: Field, form: Form): Tree | undefined {
  if (field.always === true) return zeroOf(field.kind);
  if (form === 'yaml') return undefined;
  if (field.kind === 'command') return null;
  if (typeof field.kind === 'object' && field.kind.as === 'struct') return shapeTree({}, field.kind.shape, form);
  return undefined;
}

function zeroOf(kind: Kind): Tree {
  if (kind === 'string') return '';
  if (kind === 'bool') return false;
  return kind === 'bytes' ? '0' : 0;
}

function scalarTree(value: unknown, kind: Kind, form: Form): Tree {
  switch (kind) {
    case 'float':
      return new Float(value as number, 32);
    case 'ulimits':
      return sorted(value as Readonly<Record<string, Ulimit>>, (limit) => ulimitTree(limit, form));
    case 'env-files':
      return (value as readonly EnvFile[]).map((file) => envFileTree(file, form));
    case 'ssh':
      return (value as readonly SshKey[]).map((key) => sshTree(key, form));
    case 'labels':
    case 'mapping':
    case 'options':
    case 'text-map':
    case 'variables':
    case 'multi-options':
      return sorted(value as Readonly<Record<string, Tree>>, (item) => item);
    default:
      return value as Tree;
  }
}

function ulimitTree(limit: Ulimit, form: Form): Tree {
  if (typeof limit === 'number') return limit;
  const both: [string, number][] = [
    ['soft', limit.soft ?? 0],
    ['hard', limit.hard ?? 0],
  ];
  return { order: 'fields', entries: form === 'yaml' ? both : both.filter(([, value]) => value !== 0) };
}

function envFileTree(file: EnvFile, form: Form): Tree {
  if (file.required) return file.path;
  const entries: [string, Tree][] = [
    ['path', file.path],
    ['required', false],
  ];
  if (form === 'json' && file.format !== undefined) entries.push(['format', file.format]);
  return { order: 'fields', entries };
}

function sshTree(key: SshKey, form: Form): Tree {
  if (key.path === undefined) return key.id;
  // compose fails to print this as JSON; the short form is what reads back.
  return form === 'yaml' ? `${key.id}: ${key.path}` : `${key.id}=${key.path}`;
}

function sorted<T>(value: Readonly<Record<string, T>>, tree: (item: T) => Tree): TreeMap {
  // Indexed by its own keys: never undefined.
  return { order: 'sorted', entries: Object.keys(value).map((key) => [key, tree(value[key] as T)]) };
}

/** The order of keys in go-yaml: letters after other characters, numbers by value. */
export function byNaturalOrder(left: string, right: string): number {
  let start = 0;
  const length = Math.min(left.length, right.length);
  while (start < length && left.charCodeAt(start) === right.charCodeAt(start)) start += 1;
  if (start === length) return left.length - right.length;
  const x = left.charCodeAt(start);
  const y = right.charCodeAt(start);
  // Two small letters, or two capital ones: by far the most.
  if ((x > 96 && x < 123 && y > 96 && y < 123) || (x > 64 && x < 91 && y > 64 && y < 91)) return x - y;
  return compareFrom(Array.from(left), Array.from(right));
}

function compareFrom(a: readonly string[], b: readonly string[]): number {
  let digits = false;
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const x = a[i] ?? '';
    const y = b[i] ?? '';
    if (x === y) {
      digits = isDigit(x);
      continue;
    }
    const letterX = isLetter(x);
    const letterY = isLetter(y);
    if (letterX && letterY) return byCodePoint(x, y);
    if (letterX || letterY) return (digits ? letterX : letterY) ? -1 : 1;
    return compareNumbers(a, b, i);
  }
  return a.length - b.length;
}

function compareNumbers(a: readonly string[], b: readonly string[], from: number): number {
  let lead = 0n;
  if (a[from] === '0' || b[from] === '0')
    for (let j = from - 1; j >= 0 && isDigit(a[j] ?? ''); j -= 1)
      if (a[j] !== '0') {
        lead = 1n;
        break;
      }
  const [numberA, endA] = readNumber(a, from, lead);
  const [numberB, endB] = readNumber(b, from, lead);
  if (numberA !== numberB) return numberA < numberB ? -1 : 1;
  if (endA !== endB) return endA - endB;
  return byCodePoint(a[from] ?? '', b[from] ?? '');
}

function readNumber(text: readonly string[], from: number, lead: bigint): [bigint, number] {
  let value = lead;
  let at = from;
  // Go adds up in 64 bits; a key with more digits than that sorts by what is left of it.
  for (; at < text.length && isDigit(text[at] ?? ''); at += 1)
    value = BigInt.asIntN(64, value * 10n + BigInt((text[at]?.codePointAt(0) ?? 48) - 48));
  return [value, at];
}

function isDigit(char: string): boolean {
  return char < '\u0080' ? char >= '0' && char <= '9' : /\p{Nd}/u.test(char);
}

function isLetter(char: string): boolean {
  return char < '\u0080' ? /[a-zA-Z]/.test(char) : /\p{L}/u.test(char);
}
