/**
 * As much of DNS messages (RFC 1035, section 4) as a resolver needs that answers for its own names and passes everything else
 * on unread: the header, the first question, and answers that point back at that question.
 */

export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

const HEADER_BYTES = 12;
const CLASS_IN = 1;
const NAME_BYTES_MAX = 255;
/** A name that is written as "the one at offset 12": the question's. */
const POINTER_TO_QUESTION = 0xc00c;

export interface Question {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question's bytes, to be sent back as they came. */
  readonly raw: Buffer;
  /** What a UDP answer may hold (RFC 6891; 512 without it). */
  readonly udpBytes: number;
}

/** Reads the first question; `undefined` for what is no plain query with exactly one. */
export function decodeQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  // A response, or an operation other than QUERY.
  if ((flags & 0xf800) !== 0 || message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (;;) {
    const length = message[offset];
    if (length === undefined || length > 63 || offset - HEADER_BYTES > NAME_BYTES_MAX) return undefined;
    if (length === 0) break;
    if (offset + 1 + length > message.length) return undefined;
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  const end = offset + 5;
  if (end > message.length) return undefined;
  return {
    id: message.readUInt16BE(0),
    recursionDesired: (flags & 0x0100) !== 0,
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(offset + 1),
    class: message.readUInt16BE(offset + 3),
    raw: message.subarray(HEADER_BYTES, end),
    udpBytes: ednsBytes(message, end),
  };
}

/** The size in an OPT record right after the question, where every stub resolver puts it. */
function ednsBytes(message: Buffer, offset: number): number {
  const isOpt = message.length >= offset + 11 && message[offset] === 0 && message.readUInt16BE(offset + 1) === TYPE.OPT;
  return isOpt ? Math.max(512, message.readUInt16BE(offset + 3)) : 512;
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
  const records = answers.map(encodeAnswer);
  const size = HEADER_BYTES + question.raw.length + records.reduce((sum, record) => sum + record.length, 0);
  const truncated = size > maxBytes;
  const kept = truncated ? [] : records;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.id, 0);
  const QR_RA = 0x8080;
  header.writeUInt16BE(QR_RA | (question.recursionDesired ? 0x0100 : 0) | (truncated ? 0x0200 : 0) | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(kept.length, 6);
  return Buffer.concat([header, question.raw, ...kept]);
}

function encodeAnswer(answer: Answer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(POINTER_TO_QUESTION, 0);
  head.writeUInt16BE(answer.type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(answer.ttl, 6);
  head.writeUInt16BE(answer.data.length, 10);
  return Buffer.concat([head, answer.data]);
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
