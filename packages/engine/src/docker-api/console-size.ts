import { WharfError } from '@wharf/kit';
import type { Query } from '@wharf/wire/http/route';

/** `h` and `w` of a resize request, as TIOCSWINSZ takes them. Throws `invalid-argument` in dockerd's words. */
export function readConsoleSize(query: Query): { readonly height: number; readonly width: number } {
  return { height: dimension(query, 'h', 'height'), width: dimension(query, 'w', 'width') };
}

const LARGEST_UINT32 = 2 ** 32 - 1;
/** What the kernel's `struct winsize` holds. */
const LARGEST_DIMENSION = 2 ** 16 - 1;

function dimension(query: Query, name: string, what: string): number {
  const text = query.get(name) ?? '';
  const refuse = (reason: string) =>
    new WharfError('invalid-argument', `invalid resize ${what} ${JSON.stringify(text)}: ${reason}`);
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax');
  const value = Number(text);
  if (value < 0 || value > LARGEST_UINT32) throw refuse('value out of range');
  return Math.min(value, LARGEST_DIMENSION);
}
