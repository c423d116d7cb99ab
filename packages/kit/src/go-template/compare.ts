import { format } from './print.ts';
import { sprintf } from './printf.ts';
import {
  compareBytes,
  floatData,
  type GoValue,
  indirectInterface,
  integerData,
  isAbsent,
  type MaybeValue,
  stringData,
} from './value.ts';

const BAD_TYPE = 'invalid type for comparison';

type BasicKind = 'bool' | 'integer' | 'float' | 'string';

function basicKind(value: MaybeValue): BasicKind | undefined {
  switch (value?.type.kind) {
    case 'bool':
    case 'float':
    case 'string':
      return value.type.kind;
    case 'int':
    case 'uint':
      return 'integer';
    default:
      return undefined;
  }
}

/** `eq a b…`: true when the first is one of the others. Throws in Go's words where they cannot be compared. */
export function isOneOf(first: MaybeValue, others: readonly MaybeValue[]): boolean {
  if (others.length === 0) throw new Error('missing argument for comparison');
  const left = indirectInterface(first);
  return others.some((other) => equals(left, indirectInterface(other)));
}

function equals(left: MaybeValue, right: MaybeValue): boolean {
  const kind = basicKind(left);
  if (kind !== basicKind(right)) {
    if (left === undefined || right === undefined) return false;
    throw new Error(`incompatible types for comparison: ${left.type.name} and ${right.type.name}`);
  }
  if (kind !== undefined && left !== undefined && right !== undefined) return order(kind, left, right) === 0;
  if (isNil(left) || isNil(right)) return isNil(left) === isNil(right);
  if (left?.type.kind !== right?.type.kind) {
    throw new Error(
      `non-comparable types ${sprintf('%s', [left])}: ${left?.type.name}, ${right?.type.name}: ${format(right)}`,
    );
  }
  if (left?.type.kind === 'pointer' || left?.type.kind === 'struct') return left.data === right?.data;
  throw new Error(`non-comparable type ${sprintf('%s', [right])}: ${right?.type.name}`);
}

function isNil(value: MaybeValue): boolean {
  if (value === undefined) return true;
  return ['interface', 'map', 'pointer', 'slice'].includes(value.type.kind) && isAbsent(value.data);
}

/** `lt a b`. */
export function isLess(first: MaybeValue, second: MaybeValue): boolean {
  const left = indirectInterface(first);
  const right = indirectInterface(second);
  const [leftKind, rightKind] = [basicKind(left), basicKind(right)];
  if (left === undefined || right === undefined || leftKind === undefined || rightKind === undefined) {
    throw new Error(BAD_TYPE);
  }
  if (leftKind !== rightKind) {
    throw new Error(`incompatible types for comparison: ${left.type.name} and ${right.type.name}`);
  }
  if (leftKind === 'bool') throw new Error(BAD_TYPE);
  return order(leftKind, left, right) < 0;
}

function order(kind: BasicKind, left: GoValue, right: GoValue): number {
  switch (kind) {
    case 'bool':
      return left.data === right.data || (left.data !== true && right.data !== true) ? 0 : 1;
    case 'string':
      return compareBytes(stringData(left), stringData(right));
    case 'float':
      return floatData(left) < floatData(right) ? -1 : floatData(left) === floatData(right) ? 0 : 1;
    case 'integer': {
      const [one, other] = [integerData(left), integerData(right)];
      return one < other ? -1 : one === other ? 0 : 1;
    }
  }
}
