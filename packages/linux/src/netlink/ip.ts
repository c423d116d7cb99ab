import { isIPv4, isIPv6 } from 'node:net';
import { ERRNO, SystemError } from '../errno.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;

/** An address as bytes. Throws EINVAL when it is none. */
export function encodeIp(address: string): { readonly family: number; readonly bytes: Buffer } {
  if (isIPv4(address)) return { family: AF_INET, bytes: Buffer.from(address.split('.').map(Number)) };
  if (!isIPv6(address)) throw new SystemError(ERRNO.EINVAL, 'use address', address);
  return { family: AF_INET6, bytes: encodeIpv6(address) };
}

function encodeIpv6(address: string): Buffer {
  let text = address.replace(/%.*$/, '');
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(1).map(Number);
    text = `${text.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const bytes = Buffer.alloc(16);
  left.forEach((word, index) => {
    bytes.writeUInt16BE(word, index * 2);
  });
  right.forEach((word, index) => {
    bytes.writeUInt16BE(word, (8 - right.length + index) * 2);
  });
  return bytes;
}

/** Bytes as an address; IPv6 in its canonical short form (RFC 5952). */
export function decodeIp(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const words: number[] = [];
  for (let offset = 0; offset + 1 < bytes.length; offset += 2) words.push(bytes.readUInt16BE(offset));
  const { start, length } = longestZeroRun(words);
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return length < 2 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Splits `a.b.c.d/n`; without a length the whole address counts. Throws EINVAL. */
export function parsePrefix(prefix: string): {
  readonly family: number;
  readonly bytes: Buffer;
  readonly length: number;
} {
  const [address = '', length] = prefix.split('/');
  const { family, bytes } = encodeIp(address);
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > bytes.length * 8)
    throw new SystemError(ERRNO.EINVAL, 'use prefix', prefix);
  return { family, bytes, length: bits };
}
