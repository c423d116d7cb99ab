import { floatData, integerData, isAbsent, listData, type MaybeValue, mapEntries, stringData } from './value.ts';

/** What `if` makes of a value: not the zero one of its type. */
export function isTrue(value: MaybeValue): boolean {
  if (value === undefined) return false;
  switch (value.type.kind) {
    case 'bool':
      return value.data === true;
    case 'string':
      return stringData(value) !== '';
    case 'int':
    case 'uint':
      return integerData(value) !== 0n;
    case 'float':
      return floatData(value) !== 0;
    case 'slice':
    case 'array':
      return listData(value).length > 0;
    case 'map':
      return mapEntries(value).length > 0;
    case 'pointer':
    case 'interface':
      return !isAbsent(value.data);
    case 'struct':
      return true;
  }
}
