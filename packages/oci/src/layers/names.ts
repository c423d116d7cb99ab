import { WharfError } from '@wharf/kit';
import type { ByteString } from '../tar/bytes.ts';
import { toText } from '../tar/bytes.ts';

// A name that is in its simple form already: no leading slash, no empty, `.` or `..` part, no trailing slash.
const unclean = /^\/|^\.{1,2}(?:\/|$)|\/(?:\/|\.{1,2}(?:\/|$)|$)|\0/;

/**
 * The name of an archive member below the root it is unpacked into: without leading slash, `''` for the root itself. `..`
 * goes up at most to the root. Throws `data-loss` for a name no file system can have.
 */
export function cleanName(name: ByteString): ByteString {
  if (!unclean.test(name)) return name;
  if (name.includes('\0')) {
    throw new WharfError('data-loss', `Cannot unpack ${JSON.stringify(toText(name))}: the name holds a zero byte`);
  }
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The directory part of a clean name, `''` at the top. */
export function parentOf(name: ByteString): ByteString {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** The last part of a clean name. */
export function baseOf(name: ByteString): ByteString {
  return name.slice(name.lastIndexOf('/') + 1);
}
