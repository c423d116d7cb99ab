import { isUtf8 } from 'node:buffer';

/**
 * Bytes as a string: every character is one byte (latin1). Names in archives and file systems are bytes, not text; in
 * this form they compare, join and serve as map keys without a loss, and plain ASCII looks as it always does.
 */
export type ByteString = string;

const nonAscii = /[^\x00-\x7f]/;

/** True when all characters are ASCII, in which case bytes and text are the same string. */
export function isAscii(text: string): boolean {
  return !nonAscii.test(text);
}

/** The UTF-8 bytes of a text. */
export function toBytes(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of UTF-8 bytes, with U+FFFD in the place of what is not UTF-8. */
export function toText(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** True when the bytes are well-formed UTF-8. */
export function isTextual(bytes: ByteString): boolean {
  return isAscii(bytes) || isUtf8(Buffer.from(bytes, 'latin1'));
}

/** The same name in the form `node:fs` takes without changing a byte. */
export function fsPath(bytes: ByteString): string | Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1');
}
