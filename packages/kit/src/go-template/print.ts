import type { GoType } from './types.ts';
import {
  elemType,
  fieldData,
  floatData,
  GoValue,
  goValue,
  indirectInterface,
  integerData,
  isAbsent,
  listData,
  type MaybeValue,
  mapEntries,
  stringData,
} from './value.ts';

/** An address, where Go would print one: there are none here, and nobody can use one. */
const ADDRESS = '0xc000012345';
const MAX_DEPTH = 100;

/** A value as Go's `%v`; `named` as `%+v`, with the names of fields. */
export function format(value: MaybeValue, named = false): string {
  return formatAt(value, named, 0);
}

function formatAt(value: MaybeValue, named: boolean, depth: number): string {
  if (value === undefined || depth > MAX_DEPTH) return '<nil>';
  const text = stringOf(value);
  if (text !== undefined) return text;
  const { type, data } = value;
  switch (type.kind) {
    case 'string':
      return stringData(value);
    case 'bool':
      return String(data === true);
    case 'int':
    case 'uint':
      return integerData(value).toString();
    case 'float':
      return formatFloat(floatData(value));
    case 'interface':
      return formatAt(goValue(data), named, depth + 1);
    case 'slice':
    case 'array': {
      const elem = elemType(value);
      return `[${listData(value)
        .map((item) => formatAt(new GoValue(elem, item), named, depth + 1))
        .join(' ')}]`;
    }
    case 'map': {
      const parts = mapEntries(value).map(([key, item]) => {
        return `${key}:${formatAt(new GoValue(type.elem, item), named, depth + 1)}`;
      });
      return `map[${parts.join(' ')}]`;
    }
    case 'pointer':
      if (isAbsent(data)) return '<nil>';
      if (depth > 0 || !['struct', 'map', 'slice', 'array'].includes(type.elem.kind)) return ADDRESS;
      return `&${formatAt(new GoValue(type.elem, data), named, depth + 1)}`;
    case 'struct': {
      const parts = type.fields.map((field) => {
        const text = formatAt(new GoValue(field.type, fieldData(data, field)), named, depth + 1);
        return named ? `${field.name}:${text}` : text;
      });
      return `{${parts.join(' ')}}`;
    }
  }
}

/** What the value's own String method says, where its type has one. */
export function stringOf({ type, data }: GoValue): string | undefined {
  const own = type.kind === 'pointer' && !isAbsent(data) ? type.elem : type;
  const method = 'methods' in own ? own.methods?.['String'] : undefined;
  if (method === undefined || method.parameters.length > 0) return undefined;
  const text = method.call(data);
  return typeof text === 'string' ? text : undefined;
}

/** Values in a row as Go's Sprint: blanks between operands when neither is a string. */
export function sprint(given: readonly MaybeValue[]): string {
  const values = given.map(indirectInterface);
  let text = '';
  for (const [index, value] of values.entries()) {
    if (index > 0 && !isString(value?.type) && !isString(values[index - 1]?.type)) text += ' ';
    text += format(value);
  }
  return text;
}

function isString(type: GoType | undefined): boolean {
  return type?.kind === 'string';
}

/** A float as `%v`: the shortest digits that say it, with an exponent from a million on. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const exponent = value === 0 ? 0 : Number(/e(.*)$/.exec(value.toExponential())?.[1] ?? 0);
  if (exponent >= -4 && exponent < 6) return plain(value);
  return goExponent(value.toExponential());
}

/** JavaScript writes `1e-7` with an exponent where Go's `%f` writes digits. */
function plain(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return value.toFixed(20).replace(/0+$/, '');
}

/** Go's exponents have two digits at least. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}
