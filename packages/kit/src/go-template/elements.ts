import { type GoType, intType, uint8Type } from './types.ts';
import {
  elemType,
  GoValue,
  indirect,
  indirectInterface,
  integerData,
  listData,
  type MaybeValue,
  mapEntries,
  mapEntry,
  stringData,
} from './value.ts';

/** `len x`. */
export function lengthOf(given: MaybeValue): MaybeValue {
  const { value, nil } = indirect(given);
  if (nil) throw new Error('len of nil pointer');
  if (value === undefined) throw new Error('reflect: call of reflect.Value.Type on zero Value');
  switch (value.type.kind) {
    case 'string':
      return new GoValue(intType, bytesOf(stringData(value)).length);
    case 'slice':
    case 'array':
      return new GoValue(intType, listData(value).length);
    case 'map':
      return new GoValue(intType, mapEntries(value).length);
    default:
      throw new Error(`len of type ${value.type.name}`);
  }
}

/** `index x 1 "key"`: as Go's `x[1]["key"]`. */
export function elementAt(given: MaybeValue, indexes: readonly MaybeValue[]): MaybeValue {
  let item = indirectInterface(given);
  if (item === undefined) throw new Error('index of untyped nil');
  for (const each of indexes) {
    const index = indirectInterface(each);
    const { value, nil } = indirect(item);
    if (nil || value === undefined) throw new Error('index of nil pointer');
    item = oneElement(value, index);
  }
  return item;
}

function oneElement(value: GoValue, index: MaybeValue): MaybeValue {
  switch (value.type.kind) {
    case 'string': {
      const bytes = bytesOf(stringData(value));
      const at = indexOf(index, bytes.length);
      if (at >= bytes.length) throw new Error('reflect: string index out of range');
      return new GoValue(uint8Type, bytes[at]);
    }
    case 'slice':
    case 'array': {
      const items = listData(value);
      const at = indexOf(index, items.length);
      if (at >= items.length) throw new Error(`reflect: ${value.type.kind} index out of range`);
      return new GoValue(elemType(value), items[at]);
    }
    case 'map': {
      const key = mapKey(index, value.type.key);
      const { found, data } = mapEntry(value, key);
      return new GoValue(value.type.elem, found ? data : undefined);
    }
    default:
      throw new Error(`can't index item of type ${value.type.name}`);
  }
}

function mapKey(index: MaybeValue, type: GoType): string {
  if (index === undefined) throw new Error(`value is nil; should be of type ${type.name}`);
  const integers = index.type.kind === 'int' || index.type.kind === 'uint';
  const fits = index.type.name === type.name || (integers && (type.kind === 'int' || type.kind === 'uint'));
  if (!fits) throw new Error(`value has type ${index.type.name}; should be ${type.name}`);
  return integers ? integerData(index).toString() : stringData(index);
}

function indexOf(index: MaybeValue, limit: number): number {
  if (index === undefined) throw new Error('cannot index slice/array with nil');
  if (index.type.kind !== 'int' && index.type.kind !== 'uint') {
    throw new Error(`cannot index slice/array with type ${index.type.name}`);
  }
  const at = integerData(index);
  if (at < 0n || at > BigInt(limit)) throw new Error(`index out of range: ${at}`);
  return Number(at);
}

/** `slice x 1 2`: as Go's `x[1:2]`. */
export function sliceOfValue(given: MaybeValue, indexes: readonly MaybeValue[]): MaybeValue {
  const item = indirectInterface(given);
  if (item === undefined) throw new Error('slice of untyped nil');
  const { value, nil } = indirect(item);
  if (nil || value === undefined) throw new Error('slice of nil pointer');
  if (indexes.length > 3) throw new Error(`too many slice indexes: ${indexes.length}`);
  const { type } = value;
  if (type.kind === 'string') {
    if (indexes.length === 3) throw new Error('cannot 3-index slice a string');
    const bytes = bytesOf(stringData(value));
    const [from, to] = bounds(indexes, bytes.length);
    return new GoValue(type, new TextDecoder().decode(bytes.subarray(from, to)));
  }
  if (type.kind !== 'slice' && type.kind !== 'array') throw new Error(`can't slice item of type ${type.name}`);
  const items = listData(value);
  const [from, to] = bounds(indexes, items.length);
  return new GoValue(type, items.slice(from, to));
}

function bounds(indexes: readonly MaybeValue[], length: number): readonly [number, number] {
  const [from = 0, to = length, end] = indexes.map((index) => indexOf(index, length));
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  if (end !== undefined && to > end) throw new Error(`invalid slice index: ${to} > ${end}`);
  return [from, to];
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
