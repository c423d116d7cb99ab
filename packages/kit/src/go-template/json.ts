import { isTrue } from './truth.ts';
import type { GoField, GoType, StructType } from './types.ts';
import {
  elemType,
  fieldData,
  floatData,
  GoValue,
  goValue,
  integerData,
  isAbsent,
  listData,
  type MaybeValue,
  mapEntries,
  stringData,
} from './value.ts';

const MAX_DEPTH = 1000;

/**
 * A value as Go's encoding/json writes it, without escapes for HTML: keys of maps sorted, fields of structures in their order, empty
 * ones left out where the type says so.
 */
export function marshalJson(value: MaybeValue): string {
  return marshal(value, 0);
}

function marshal(value: MaybeValue, depth: number): string {
  if (value === undefined) return 'null';
  if (depth > MAX_DEPTH) throw new Error('json: unsupported value: encountered a cycle');
  const { type, data } = value;
  switch (type.kind) {
    case 'string':
      return type.name === 'json.Number' ? numberText(stringData(value)) : quoteJson(stringData(value));
    case 'bool':
      return String(data === true);
    case 'int':
    case 'uint':
      return integerData(value).toString();
    case 'float':
      return jsonFloat(floatData(value));
    case 'interface':
      return marshal(goValue(data), depth + 1);
    case 'pointer':
      return isAbsent(data) ? 'null' : marshal(new GoValue(type.elem, data), depth + 1);
    case 'slice':
    case 'array': {
      if (isAbsent(data)) return type.kind === 'slice' ? 'null' : '[]';
      const elem = elemType(value);
      return `[${listData(value)
        .map((item) => marshal(new GoValue(elem, item), depth + 1))
        .join(',')}]`;
    }
    case 'map': {
      if (isAbsent(data)) return 'null';
      const parts = mapEntries(value).map(
        ([key, item]) => `${quoteJson(key)}:${marshal(new GoValue(type.elem, item), depth + 1)}`,
      );
      return `{${parts.join(',')}}`;
    }
    case 'struct':
      if (type.marshal !== undefined) return type.marshal(data);
      return `{${fieldTexts(type, data, depth).join(',')}}`;
  }
}

function fieldTexts(type: StructType, data: unknown, depth: number): readonly string[] {
  return type.fields.flatMap((field) => {
    const struct = structOf(field);
    if (struct !== undefined) return fieldTexts(struct, data, depth);
    const value = new GoValue(field.type, fieldData(data, field));
    if (field.hidden === true || (field.omitEmpty === true && isEmpty(value))) return [];
    return [`${quoteJson(field.key)}:${marshal(value, depth + 1)}`];
  });
}

function structOf({ embedded, type }: GoField): StructType | undefined {
  if (embedded !== true) return undefined;
  const inner: GoType = type.kind === 'pointer' ? type.elem : type;
  return inner.kind === 'struct' ? inner : undefined;
}

/** What `omitempty` leaves out; a structure is never empty. */
function isEmpty(value: GoValue): boolean {
  return value.type.kind === 'interface' ? isAbsent(value.data) : !isTrue(value);
}

function numberText(text: string): string {
  return text === '' ? '0' : text;
}

function jsonFloat(value: number): string {
  if (!Number.isFinite(value))
    throw new Error(`json: unsupported value: ${value > 0 ? '+Inf' : Number.isNaN(value) ? 'NaN' : '-Inf'}`);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** JSON.stringify's text, and the two line separators escaped, which break a JavaScript program. */
function quoteJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
