/**
 * What a template sees of Go: types by kind, with the names that stand in its error texts. A value's data is plain JSON-like
 * data, read through its type; `undefined` and `null` are the zero value of any type.
 */
export type GoType = BasicType | InterfaceType | ListType | MapType | PointerType | StructType;

export interface BasicType {
  readonly kind: 'bool' | 'string' | 'int' | 'uint' | 'float';
  readonly name: string;
  readonly methods?: GoMethods;
}

export interface InterfaceType {
  readonly kind: 'interface';
  readonly name: string;
}

export interface ListType {
  readonly kind: 'slice' | 'array';
  readonly name: string;
  /** The name without the one it was given, where it has one: a defined type may stand for it. */
  readonly underlying: string;
  readonly elem: GoType;
  readonly methods?: GoMethods;
}

export interface MapType {
  readonly kind: 'map';
  readonly name: string;
  readonly underlying: string;
  readonly key: BasicType;
  readonly elem: GoType;
  readonly methods?: GoMethods;
}

export interface PointerType {
  readonly kind: 'pointer';
  readonly name: string;
  readonly elem: GoType;
}

export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly GoField[];
  readonly methods?: GoMethods;
  /** The JSON text, where the type marshals itself. */
  readonly marshal?: (data: unknown) => string;
}

export interface GoField {
  readonly name: string;
  /** The key of the data, which is the one in JSON too. */
  readonly key: string;
  readonly type: GoType;
  readonly omitEmpty?: boolean;
  /** Its fields are the outer structure's too. */
  readonly embedded?: boolean;
  /** Not written to JSON. */
  readonly hidden?: boolean;
}

export interface GoMethod {
  readonly parameters: readonly GoType[];
  readonly result: GoType;
  /** `data` is the receiver's; returns the result's data. */
  readonly call: (data: unknown, ...parameters: readonly unknown[]) => unknown;
}

export type GoMethods = Readonly<Record<string, GoMethod>>;

function basic(kind: BasicType['kind'], name: string): BasicType {
  return { kind, name };
}

export const boolType = basic('bool', 'bool');
export const stringType = basic('string', 'string');
export const intType = basic('int', 'int');
export const int64Type = basic('int', 'int64');
export const uint8Type = basic('uint', 'uint8');
export const floatType = basic('float', 'float64');
export const jsonNumberType = basic('string', 'json.Number');
export const anyType: InterfaceType = { kind: 'interface', name: 'interface {}' };

/** `[]elem`, or a type of that shape with a name of its own. */
export function sliceOf(elem: GoType, name?: string): ListType {
  const underlying = `[]${elem.name}`;
  return { kind: 'slice', name: name ?? underlying, underlying, elem };
}

/** `map[key]elem`, or a type of that shape with a name of its own. */
export function mapOf(elem: GoType, { key = stringType, name }: { key?: BasicType; name?: string } = {}): MapType {
  const underlying = `map[${key.name}]${elem.name}`;
  return { kind: 'map', name: name ?? underlying, underlying, key, elem };
}

export function pointerTo(elem: GoType): PointerType {
  return { kind: 'pointer', name: `*${elem.name}`, elem };
}

export const anySlice = sliceOf(anyType);
export const stringSlice = sliceOf(stringType);
export const anyMap = mapOf(anyType);

/** True where Go lets a value of `from` be given for `to`. */
export function isAssignable(from: GoType, to: GoType): boolean {
  if (to.kind === 'interface' || from.name === to.name) return true;
  if (!('underlying' in from && 'underlying' in to)) return false;
  const oneIsPlain = from.name === from.underlying || to.name === to.underlying;
  return oneIsPlain && from.underlying === to.underlying;
}
