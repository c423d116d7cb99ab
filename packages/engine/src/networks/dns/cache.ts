import { DNS_CACHE_ENTRIES, DNS_CACHE_SECONDS } from '../limits.ts';
import { HEADER_BYTES, type Question, RCODE, rcodeOf, TYPE } from './codec.ts';

interface Entry {
  readonly message: Buffer;
  /** Where times to live stand in the message. */
  readonly ttlOffsets: readonly number[];
  readonly storedAt: number;
  readonly expiresAt: number;
}

/** What to file an answer under; `undefined` for questions whose answers are for their asker alone (EDNS options). */
export function cacheKey(question: Question, scope: string): string | undefined {
  if (question.edns?.hasOptions === true) return undefined;
  // Recursion desired, authentic data, checking disabled.
  const flags = question.flags & 0x0130;
  const edns = question.edns ? Number(question.edns.dnssecOk) : '-';
  return `${scope}|${flags}|${edns}|${question.class}|${question.type}|${question.name}`;
}

/**
 * Answers of upstreams for as long as their own times to live say (RFC 2308 for the negative ones), a few minutes at most.
 * Full, the oldest entry gives way. Times are in milliseconds of the caller's clock.
 */
export class AnswerCache {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** A copy for this question, with its id, its spelling, and times to live that have run on. */
  get(key: string, question: Question, now: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (now >= entry.expiresAt) {
      this.#entries.delete(key);
      return undefined;
    }
    const message = Buffer.from(entry.message);
    readdress(message, question);
    const passed = Math.floor((now - entry.storedAt) / 1000);
    for (const offset of entry.ttlOffsets) {
      message.writeUInt32BE(Math.max(0, message.readUInt32BE(offset) - passed), offset);
    }
    return message;
  }

  put(key: string, message: Buffer, now: number): void {
    const life = lifeOf(message);
    if (!life || life.seconds <= 0) return;
    this.#entries.delete(key);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < DNS_CACHE_ENTRIES) break;
      this.#entries.delete(oldest);
    }
    const seconds = Math.min(life.seconds, DNS_CACHE_SECONDS);
    const { ttlOffsets } = life;
    this.#entries.set(key, {
      message: Buffer.from(message),
      ttlOffsets,
      storedAt: now,
      expiresAt: now + seconds * 1000,
    });
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** Makes an answer to one question the answer to another with the same name, type and class. */
export function readdress(message: Buffer, question: Question): Buffer {
  message.writeUInt16BE(question.id, 0);
  if (message.readUInt16BE(4) === 1) question.raw.copy(message, HEADER_BYTES);
  return message;
}

/** How long a message may be kept; `undefined` for errors, cut ones, and what cannot be read. */
function lifeOf(message: Buffer): { seconds: number; ttlOffsets: number[] } | undefined {
  const rcode = rcodeOf(message);
  const truncated = ((message[2] ?? 0) & 0x02) !== 0;
  if (message.length < HEADER_BYTES || truncated || (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN))
    return undefined;
  if (message.readUInt16BE(4) !== 1) return undefined;
  let offset = skipName(message, HEADER_BYTES) + 4;
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  const negative = rcode === RCODE.NXDOMAIN || message.readUInt16BE(6) === 0;
  const ttlOffsets: number[] = [];
  let seconds = negative ? 0 : Number.POSITIVE_INFINITY;
  for (let index = 0; index < records; index++) {
    offset = skipName(message, offset);
    if (offset + 10 > message.length) return undefined;
    const type = message.readUInt16BE(offset);
    const ttl = message.readUInt32BE(offset + 4);
    const end = offset + 10 + message.readUInt16BE(offset + 8);
    if (end > message.length) return undefined;
    if (type !== TYPE.OPT) {
      ttlOffsets.push(offset + 4);
      // RFC 2308, section 5: the lesser of the SOA's own time and its last field.
      if (negative && type === TYPE.SOA && end - offset >= 14) seconds = Math.min(ttl, message.readUInt32BE(end - 4));
      if (!negative) seconds = Math.min(seconds, ttl);
    }
    offset = end;
  }
  return { seconds: Number.isFinite(seconds) ? seconds : 0, ttlOffsets };
}

/** Behind the name at `offset`; past the end of the message for what is none. */
function skipName(message: Buffer, offset: number): number {
  for (let at = offset; at < message.length; ) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
  return message.length;
}
