import { formatFloat } from './print.ts';
import { quote } from './quote.ts';
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

/** A value as Go's `%#v` writes it: as it would stand in a Go program. */
export function goSyntax(value: MaybeValue, depth = 0): string {
  if (value === undefined || depth > 100) return 'interface {}(nil)';
  const { type, data } = value;
  switch (type.kind) {
    case 'string':
      return quote(stringData(value));
    case 'bool':
      return String(data === true);
    case 'int':
      return integerData(value).toString();
    case 'uint':
      return `0x${integerData(value).toString(16)}`;
    case 'float':
      return formatFloat(floatData(value));
    case 'interface':
      return goSyntax(goValue(data), depth + 1);
    case 'slice':
    case 'array': {
      if (isAbsent(data)) return `${type.name}(nil)`;
      const elem = elemType(value);
      return `${type.name}{${listData(value)
        .map((item) => goSyntax(new GoValue(elem, item), depth + 1))
        .join(', ')}}`;
    }
    case 'map': {
      if (isAbsent(data)) return `${type.name}(nil)`;
      const parts = mapEntries(value).map(([key, item]) => {
        const name = type.key.kind === 'string' ? quote(key) : key;
        return `${name}:${goSyntax(new GoValue(type.elem, item), depth + 1)}`;
      });
      return `${type.name}{${parts.join(', ')}}`;
    }
    case 'pointer':
      if (isAbsent(data)) return `(${type.name})(nil)`;
      return depth === 0 ? `&${goSyntax(new GoValue(type.elem, data), depth + 1)}` : `(${type.name})(0xc000012345)`;
    case 'struct': {
      const parts = type.fields.map(
        (field) => `${field.name}:${goSyntax(new GoValue(field.type, fieldData(data, field)), depth + 1)}`,
      );
      return `${type.name}{${parts.join(', ')}}`;
    }
  }
}
