/** Netlink's wire form (netlink(7), rtnetlink(7)): messages of a 16-byte header, a fixed body and attributes; host byte order. */

export interface Attribute {
  readonly type: number;
  /** Bytes, or attributes nested in it. */
  readonly value: Buffer | readonly Attribute[];
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** The fixed struct and the attributes, undivided. */
  readonly payload: Buffer;
}

export const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

const align = (size: number): number => (size + 3) & ~3;

/** Encodes attributes, each padded to four bytes; nested ones carry the nested flag. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  const parts: Buffer[] = [];
  for (const { type, value } of attributes) {
    const nested = !Buffer.isBuffer(value);
    const bytes = nested ? encodeAttributes(value) : value;
    const part = Buffer.alloc(align(ATTRIBUTE_HEADER_BYTES + bytes.length));
    part.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + bytes.length, 0);
    part.writeUInt16LE(nested ? type | NLA_F_NESTED : type, 2);
    bytes.copy(part, ATTRIBUTE_HEADER_BYTES);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Splits attributes one level deep; what is cut short ends the list. */
export function decodeAttributes(bytes: Buffer): { readonly type: number; readonly value: Buffer }[] {
  const attributes: { type: number; value: Buffer }[] = [];
  let offset = 0;
  while (offset + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_BYTES || offset + length > bytes.length) break;
    attributes.push({
      type: bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK,
      value: bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length),
    });
    offset += align(length);
  }
  return attributes;
}

/** Attributes by type; of two alike the last counts. */
export function attributeMap(bytes: Buffer): ReadonlyMap<number, Buffer> {
  return new Map(decodeAttributes(bytes).map(({ type, value }) => [type, value]));
}

export function encodeMessage(message: Message): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES + align(message.payload.length));
  buffer.writeUInt32LE(HEADER_BYTES + message.payload.length, 0);
  buffer.writeUInt16LE(message.type, 4);
  buffer.writeUInt16LE(message.flags, 6);
  buffer.writeUInt32LE(message.sequence, 8);
  message.payload.copy(buffer, HEADER_BYTES);
  return buffer;
}

/** Splits what one receive brought; what is cut short ends the list. */
export function decodeMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER_BYTES || offset + length > bytes.length) break;
    messages.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      payload: bytes.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

export const u8 = (value: number): Buffer => Buffer.of(value);

export function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
}

/** Zero-terminated text. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** The text of an attribute up to its zero. */
export function readText(value: Buffer | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** The number in an attribute of four bytes, 0 when absent. */
export const readU32 = (value: Buffer | undefined): number =>
  value !== undefined && value.length >= 4 ? value.readUInt32LE(0) : 0;
