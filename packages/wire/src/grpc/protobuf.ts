import { WharfError } from '@wharf/kit';

/**
 * Protocol Buffers (protobuf.dev, "Encoding") for messages described by tables: the handful that gRPC peers need, without a
 * generator. An `int` is a JavaScript number, and refused when it does not fit into 53 bits; a `bigint` takes all 64. Unknown fields are
 * passed over.
 */
type Scalar = 'string' | 'bytes' | 'int' | 'bigint' | 'bool';

interface FieldType {
  readonly name: string;
  readonly type: Scalar | MessageType;
  readonly repeated?: true;
  /** A `map<string, type>`. */
  readonly map?: true;
}

/** A message: its fields by number. */
export interface MessageType {
  readonly name: string;
  readonly fields: Readonly<Record<number, FieldType>>;
}

type Plain = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 64;

/** A type alone, in a list for a repeated field, or `{ map }` for a map from texts. */
type FieldSpec = Scalar | MessageType | readonly [Scalar | MessageType] | { readonly map: Scalar | MessageType };

/** Describes a message: `[name, type]` by field number. */
export function message(name: string, fields: Readonly<Record<number, readonly [string, FieldSpec]>>): MessageType {
  const described: Record<number, FieldType> = {};
  for (const [number, [field, type]] of Object.entries(fields)) described[Number(number)] = fieldOf(field, type);
  return { name, fields: described };
}

function fieldOf(name: string, type: FieldSpec): FieldType {
  if (typeof type === 'string') return { name, type };
  if (isList(type)) return { name, type: type[0], repeated: true };
  return 'map' in type ? { name, type: type.map, map: true } : { name, type };
}

function isList(type: Exclude<FieldSpec, string>): type is readonly [Scalar | MessageType] {
  return Array.isArray(type);
}

/** The bytes of a message. Absent, empty and zero values are left out, as proto3 does. */
export function encode(type: MessageType, value: object): Buffer {
  const parts: Uint8Array[] = [];
  for (const [number, field] of Object.entries(type.fields)) {
    encodeField(Number(number), field, (value as Plain)[field.name], parts);
  }
  return Buffer.concat(parts);
}

/**
 * The bytes of a message up to the content of its field `last`, which has `length` bytes and is to follow them: for content that would else be
 * copied once more. Fields may stand in any order.
 */
export function encodeHead(
  type: MessageType,
  value: object,
  last: { readonly name: string; readonly length: number },
): Buffer {
  const [number] = Object.entries(type.fields).find(([, { name }]) => name === last.name) ?? [];
  if (number === undefined) throw new TypeError(`Message "${type.name}" has no field "${last.name}"`);
  return Buffer.concat([encode(type, value), varint(BigInt(Number(number) * 8 + 2)), varint(BigInt(last.length))]);
}

function encodeField(number: number, field: FieldType, value: unknown, parts: Uint8Array[]): void {
  if (value === undefined || value === null) return;
  if (field.repeated) {
    for (const each of value as readonly unknown[]) encodeValue(number, field.type, each, parts, true);
  } else if (field.map) {
    const entry = message('entry', { 1: ['key', 'string'], 2: ['value', field.type] });
    for (const [key, each] of Object.entries(value as Plain)) {
      encodeValue(number, entry, { key, value: each }, parts, true);
    }
  } else encodeValue(number, field.type, value, parts, false);
}

function encodeValue(
  number: number,
  type: FieldType['type'],
  value: unknown,
  parts: Uint8Array[],
  always: boolean,
): void {
  if (type === 'int' || type === 'bool' || type === 'bigint') {
    const integer = typeof value === 'bigint' ? value : BigInt(Number(value));
    if (integer === 0n && !always) return;
    parts.push(varint(BigInt(number * 8)), varint(integer));
    return;
  }
  const bytes =
    type === 'string'
      ? Buffer.from(value as string, 'utf8')
      : type === 'bytes'
        ? (value as Uint8Array)
        : encode(type, value as object);
  // An empty message that is there says something; an empty text does not.
  if (bytes.length === 0 && !always && typeof type === 'string') return;
  parts.push(varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** Reads a message. Every field has a value: empty texts, bytes, lists and maps, 0 and false; absent messages are `undefined`. Throws `invalid-argument`. */
export function decode<T>(type: MessageType, bytes: Uint8Array): T {
  return decodeMessage(type, new Reader(bytes, type.name), 0) as T;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  #at = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A number that must fit into 53 bits. */
  integer(): number {
    const number = Number(this.varint());
    if (!Number.isSafeInteger(number)) throw this.fault('a number is too large');
    return number;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      this.#at += 1;
      if (byte === undefined) throw this.fault('it ends in the middle of a number');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw this.fault('a number is too long');
  }

  take(length: number): Uint8Array {
    if (length < 0 || this.#at + length > this.#bytes.length) throw this.fault('it is cut off');
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  fault(what: string): WharfError {
    return new WharfError('invalid-argument', `Cannot read message "${this.#name}": ${what}`);
  }
}

function decodeMessage(type: MessageType, reader: Reader, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw reader.fault('it nests too deeply');
  const value: Record<string, unknown> = {};
  for (const field of Object.values(type.fields)) value[field.name] = emptyValue(field);
  while (!reader.done) {
    const tag = reader.integer();
    const field = type.fields[tag >> 3];
    const wireType = tag & 7;
    if (wireType === 0) {
      const integer = reader.varint();
      if (field !== undefined) store(value, field, numberOf(field, integer, reader));
    } else if (wireType === 2) {
      const bytes = reader.take(reader.integer());
      if (field !== undefined) readBytes(value, field, bytes, depth);
    } else if (wireType === 1) reader.take(8);
    else if (wireType === 5) reader.take(4);
    else throw reader.fault(`wire type ${wireType} is not known`);
  }
  return value;
}

function numberOf({ type }: FieldType, integer: bigint, reader: Reader): unknown {
  if (type === 'bigint') return integer;
  if (type === 'bool') return integer !== 0n;
  const number = Number(integer);
  if (!Number.isSafeInteger(number)) throw reader.fault('a number is too large');
  return number;
}

function emptyValue({ type, repeated, map }: FieldType): unknown {
  if (repeated) return [];
  if (map) return {};
  if (type === 'string') return '';
  if (type === 'bytes') return Buffer.alloc(0);
  if (type === 'int') return 0;
  if (type === 'bigint') return 0n;
  return type === 'bool' ? false : undefined;
}

function store(value: Record<string, unknown>, field: FieldType, each: unknown): void {
  if (field.repeated) (value[field.name] as unknown[]).push(each);
  else value[field.name] = each;
}

function readBytes(value: Record<string, unknown>, field: FieldType, bytes: Uint8Array, depth: number): void {
  if (field.map) {
    const entry = message('entry', { 1: ['key', 'string'], 2: ['value', field.type] });
    const read = decodeMessage(entry, new Reader(bytes, 'entry'), depth + 1);
    Object.defineProperty(value[field.name], read['key'] as string, {
      ...{ value: read['value'], enumerable: true, writable: true, configurable: true },
    });
    return;
  }
  if (field.type === 'string') store(value, field, Buffer.from(bytes).toString('utf8'));
  else if (field.type === 'bytes') store(value, field, Buffer.from(bytes));
  else if (typeof field.type === 'object') {
    store(value, field, decodeMessage(field.type, new Reader(bytes, field.type.name), depth + 1));
  } else {
    // Packed numbers.
    const reader = new Reader(bytes, field.name);
    while (!reader.done) store(value, field, numberOf(field, reader.varint(), reader));
  }
}
