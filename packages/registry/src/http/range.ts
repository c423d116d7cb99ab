/** A part of a blob. */
export interface ByteRange {
  readonly start: number;
  readonly endExclusive: number;
}

/**
 * Reads a `Range` header (RFC 9110, section 14). `undefined`: send the whole, which is also the answer to several ranges and to other units;
 * `'unsatisfiable'`: answer 416.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, endExclusive: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, endExclusive: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/** Reads the `Content-Range` of a chunk, `0-99` (distribution-spec, "Pushing a blob in chunks"), or with RFC 9110's unit and size. */
export function parseContentRange(header: string): { readonly first: number; readonly last: number } | undefined {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  return last < first ? undefined : { first, last };
}

/** True when a validator of the list is this one (RFC 9110, sections 13.1.1 and 13.1.2; ours are all strong). */
export function matchesEtag(header: string, etag: string): boolean {
  return header.split(',').some((each) => {
    const value = each.trim().replace(/^W\//, '');
    return value === '*' || value === etag || value === etag.slice(1, -1);
  });
}
