import {
  anyMap,
  anySlice,
  boolType,
  floatType,
  type GoField,
  type GoType,
  int64Type,
  intType,
  jsonNumberType,
  type StructType,
  stringType,
} from './types.ts';

/** A number of a JSON text as it was written; Go's json.Number. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** What JSON.stringify writes. */
  toJSON(): unknown {
    return Number(this.text);
  }
}

/** Data with the Go type it is read through. What is not there at all (Go's invalid value) is `undefined` instead. */
export class GoValue {
  readonly type: GoType;
  readonly data: unknown;

  constructor(type: GoType, data: unknown) {
    this.type = type;
    this.data = data;
  }
}

export type MaybeValue = GoValue | undefined;

/** Plain data as Go's `interface{}` would hold it: strings, booleans, int, float64, []interface{}, map[string]interface{}. */
export function goValue(data: unknown): MaybeValue {
  if (data instanceof GoValue) return data.type.kind === 'interface' ? goValue(data.data) : data;
  switch (typeof data) {
    case 'string':
      return new GoValue(stringType, data);
    case 'boolean':
      return new GoValue(boolType, data);
    case 'number':
      return new GoValue(Number.isSafeInteger(data) ? intType : floatType, data);
    case 'bigint':
      return new GoValue(int64Type, data);
    case 'object':
      if (data === null) return undefined;
      if (data instanceof JsonNumber) return new GoValue(jsonNumberType, data.text);
      return new GoValue(Array.isArray(data) ? anySlice : anyMap, data);
    default:
      return undefined;
  }
}

/** The value in an interface; others as they are. */
export function indirectInterface(value: MaybeValue): MaybeValue {
  return value?.type.kind === 'interface' ? goValue(value.data) : value;
}

/** Follows pointers and interfaces; `nil` when the last of them holds nothing, which is then what is returned. */
export function indirect(value: MaybeValue): { readonly value: MaybeValue; readonly nil: boolean } {
  let at = value;
  while (at !== undefined && (at.type.kind === 'pointer' || at.type.kind === 'interface')) {
    if (isAbsent(at.data)) return { value: at, nil: true };
    at = at.type.kind === 'pointer' ? new GoValue(at.type.elem, at.data) : goValue(at.data);
  }
  return { value: at, nil: false };
}

/** Nothing was said: the zero value, and nil where the type has one. */
export function isAbsent(data: unknown): data is null | undefined {
  return data === null || data === undefined;
}

export function stringData(value: GoValue): string {
  return typeof value.data === 'string' ? value.data : '';
}

export function listData(value: GoValue): readonly unknown[] {
  return Array.isArray(value.data) ? (value.data as readonly unknown[]) : [];
}

/** The integer as exactly as it is known. */
export function integerData(value: GoValue): bigint {
  if (typeof value.data === 'bigint') return value.data;
  return typeof value.data === 'number' && Number.isFinite(value.data) ? BigInt(Math.trunc(value.data)) : 0n;
}

export function floatData(value: GoValue): number {
  return typeof value.data === 'number' || typeof value.data === 'bigint' ? Number(value.data) : 0;
}

/** The entries of a map, keys sorted as Go prints and ranges over them. */
export function mapEntries(value: GoValue): readonly (readonly [string, unknown])[] {
  const { data } = value;
  if (typeof data !== 'object' || data === null) return [];
  const entries = data instanceof Map ? [...(data as ReadonlyMap<string, unknown>)] : Object.entries(data);
  const numeric = value.type.kind === 'map' && value.type.key.kind !== 'string';
  return entries.toSorted(([left], [right]) => (numeric ? Number(left) - Number(right) : compareBytes(left, right)));
}

/** The entry of a map; `found` tells a nil entry from none. */
export function mapEntry(value: GoValue, key: string): { readonly found: boolean; readonly data: unknown } {
  const { data } = value;
  if (data instanceof Map) return { found: data.has(key), data: data.get(key) };
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, key)) return { found: false, data: undefined };
  return { found: true, data: (data as Readonly<Record<string, unknown>>)[key] };
}

export function elemType(value: GoValue): GoType {
  return 'elem' in value.type ? value.type.elem : stringType;
}

/** The data of a field of a structure. */
export function fieldData(data: unknown, field: GoField): unknown {
  if (field.embedded === true) return data;
  if (typeof data !== 'object' || data === null) return undefined;
  return (data as Readonly<Record<string, unknown>>)[field.key];
}

/** A field by Go's name, one of an embedded structure too. */
export function findField(type: StructType, name: string): GoField | undefined {
  const own = type.fields.find((field) => field.name === name);
  if (own !== undefined) return own;
  for (const { embedded, type: inner } of type.fields) {
    const struct = inner.kind === 'pointer' ? inner.elem : inner;
    if (embedded !== true || struct.kind !== 'struct') continue;
    const found = findField(struct, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The order of Go's strings, which is that of their bytes. */
export function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const difference = orderOf(left.charCodeAt(at)) - orderOf(right.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** UTF-16 puts what is beyond the first plane before U+E000; bytes and code points do not. */
function orderOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
