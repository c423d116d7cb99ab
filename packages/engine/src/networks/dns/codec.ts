/**
 * As much of DNS messages (RFC 1035, section 4) as a resolver needs that answers for its own names and passes everything else
 * on unread: the header, the first question, and answers that point back at that question.
 */

export const TYPE = { A: 1, SOA: 6, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

export const HEADER_BYTES = 12;
export const CLASS_IN = 1;
const NAME_BYTES_MAX = 255;
/** A name that is written as "the one at offset 12": the question's. */
const POINTER_TO_QUESTION = 0xc00c;
const OPT_BYTES = 11;
/** What we take by UDP ourselves: no fragments on any path (dnsflagday.net/2020). */
const OUR_UDP_BYTES = 1232;

export interface Question {
  readonly id: number;
  /** The second word of the header: recursion desired and what DNSSEC keeps there. */
  readonly flags: number;
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question's bytes, to be sent back as they came. */
  readonly raw: Buffer;
  /** What a UDP answer may hold (RFC 6891; 512 without it). */
  readonly udpBytes: number;
  /** `undefined` without EDNS. */
  readonly edns: { readonly dnssecOk: boolean; readonly hasOptions: boolean } | undefined;
}

/** Reads the first question; `undefined` for what is no plain query with exactly one. */
export function decodeQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  // A response, or an operation other than QUERY.
  if ((flags & 0xf800) !== 0 || message.readUInt16BE(4) !== 1) return undefined;
  let name = '';
  let offset = HEADER_BYTES;
  for (;;) {
    const length = message[offset];
    if (length === undefined || length > 63 || offset - HEADER_BYTES >= NAME_BYTES_MAX) return undefined;
    if (length === 0) break;
    if (offset + 1 + length > message.length) return undefined;
    const label = message.toString('latin1', offset + 1, offset + 1 + length);
    name = name === '' ? label : `${name}.${label}`;
    offset += 1 + length;
  }
  const end = offset + 5;
  if (end > message.length) return undefined;
  return {
    id: message.readUInt16BE(0),
    flags,
    name: name.toLowerCase(),
    type: message.readUInt16BE(offset + 1),
    class: message.readUInt16BE(offset + 3),
    raw: message.subarray(HEADER_BYTES, end),
    ...ednsOf(message, end),
  };
}

/** The OPT record right after the question, where every stub resolver puts it. */
function ednsOf(message: Buffer, offset: number): Pick<Question, 'udpBytes' | 'edns'> {
  const isOpt =
    message.length >= offset + OPT_BYTES && message[offset] === 0 && message.readUInt16BE(offset + 1) === TYPE.OPT;
  if (!isOpt) return { udpBytes: 512, edns: undefined };
  return {
    udpBytes: Math.max(512, message.readUInt16BE(offset + 3)),
    edns: {
      dnssecOk: ((message[offset + 7] ?? 0) & 0x80) !== 0,
      hasOptions: message.readUInt16BE(offset + 9) > 0,
    },
  };
}

export interface Answer {
  readonly type: number;
  readonly ttl: number;
  readonly data: Buffer;
}

/** Builds a response to a question; answers that do not fit in `maxBytes` are left out and the message marked as cut. */
export function encodeResponse(
  question: Question,
  rcode: number,
  answers: readonly Answer[],
  maxBytes: number,
): Buffer {
  const optBytes = question.edns ? OPT_BYTES : 0;
  const bare = HEADER_BYTES + question.raw.length + optBytes;
  const whole = answers.reduce((sum, { data }) => sum + 12 + data.length, bare);
  const truncated = whole > maxBytes;
  const message = Buffer.alloc(truncated ? bare : whole);
  message.writeUInt16BE(question.id, 0);
  const QR_RA = 0x8080;
  message.writeUInt16BE(QR_RA | (question.flags & 0x0110) | (truncated ? 0x0200 : 0) | rcode, 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(truncated ? 0 : answers.length, 6);
  message.writeUInt16BE(question.edns ? 1 : 0, 10);
  question.raw.copy(message, HEADER_BYTES);
  let offset = HEADER_BYTES + question.raw.length;
  for (const { type, ttl, data } of truncated ? [] : answers) {
    message.writeUInt16BE(POINTER_TO_QUESTION, offset);
    message.writeUInt16BE(type, offset + 2);
    message.writeUInt16BE(CLASS_IN, offset + 4);
    message.writeUInt32BE(ttl, offset + 6);
    message.writeUInt16BE(data.length, offset + 10);
    data.copy(message, offset + 12);
    offset += 12 + data.length;
  }
  if (question.edns) {
    message.writeUInt16BE(TYPE.OPT, offset + 1);
    message.writeUInt16BE(OUR_UDP_BYTES, offset + 3);
  }
  return message;
}

/** An answer that says no more than that it must be fetched by TCP. */
export function encodeTruncated(question: Question): Buffer {
  const message = encodeResponse(question, RCODE.NOERROR, [], question.udpBytes);
  message.writeUInt16BE(message.readUInt16BE(2) | 0x0200, 2);
  return message;
}

/** A name as labels, without compression. Labels too long for DNS are cut at 63 bytes. */
export function encodeName(name: string): Buffer {
  const parts = name
    .split('.')
    .filter(Boolean)
    .map((label) => Buffer.from(label, 'latin1').subarray(0, 63));
  return Buffer.concat([...parts.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

/** The response code of a message that came from an upstream. */
export const rcodeOf = (message: Buffer): number => (message[3] ?? 0) & 0x0f;

/** True for a response to that very question, whoever sent it. */
export function answers(message: Buffer, query: Buffer): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  if (((message[2] ?? 0) & 0x80) === 0) return false;
  const asked = decodeQuestion(query);
  // Some servers leave the question out of a refusal.
  if (!asked || message.readUInt16BE(4) === 0) return true;
  const echoed = message.subarray(HEADER_BYTES, HEADER_BYTES + asked.raw.length);
  return echoed.toString('latin1').toLowerCase() === asked.raw.toString('latin1').toLowerCase();
}
