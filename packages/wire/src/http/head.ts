import type { IncomingHttpHeaders } from 'node:http';
import { WharfError } from '@wharf/kit';
import { HTTP_LIMITS } from './limits.ts';

/** A parsed request head (RFC 9112, sections 3 and 5). */
export interface RequestHead {
  readonly method: string;
  /** The request target as sent: path and query. */
  readonly target: string;
  /** True for HTTP/1.1, false for HTTP/1.0. */
  readonly http11: boolean;
  readonly headers: IncomingHttpHeaders;
  readonly keepAlive: boolean;
  /** How the body is delimited: by length, by chunks, or not there. */
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'length'; readonly bytes: number }
    | { readonly kind: 'chunked' };
  /** The protocol of `Upgrade`, in lower case, when `Connection` lists `upgrade`. */
  readonly upgrade: string | undefined;
  readonly expectContinue: boolean;
}

const requestLine = /^([A-Z]{1,16}) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.([01])$/;
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

function bad(what: string): WharfError {
  return new WharfError('invalid-argument', `Bad Request: ${what}`);
}

/** Headers whose second appearance is an attack or a mistake, not a list. */
const single = new Set(['content-length', 'host', 'authorization', 'content-type', 'transfer-encoding']);

function readHeaders(lines: readonly string[]): IncomingHttpHeaders {
  if (lines.length - 1 > HTTP_LIMITS.headerCount) throw bad('too many headers');
  const headers: Record<string, string> = Object.create(null);
  for (let i = 1; i < lines.length; i++) {
    const match = headerLine.exec(lines[i] ?? '');
    if (!match) throw bad('malformed header');
    const name = (match[1] ?? '').toLowerCase();
    const value = (match[2] ?? '').trimEnd();
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (!single.has(name)) headers[name] = `${before}, ${value}`;
    else if (before !== value || name === 'transfer-encoding') throw bad(`more than one ${name}`);
  }
  return headers;
}

function readBodyKind(headers: IncomingHttpHeaders): RequestHead['body'] {
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined) {
    // Both at once is how requests are smuggled past a proxy (RFC 9112, section 6.1).
    if (length !== undefined) throw bad('both Content-Length and Transfer-Encoding');
    if (coding.toLowerCase() !== 'chunked')
      throw new WharfError('not-implemented', `unsupported transfer encoding: ${coding}`);
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'none' };
  if (!/^\d{1,15}$/.test(length)) throw bad('malformed Content-Length');
  const bytes = Number(length);
  return bytes === 0 ? { kind: 'none' } : { kind: 'length', bytes };
}

/**
 * Parses a head given as Latin-1 text without its closing empty line. Throws `invalid-argument` for what is no HTTP/1,
 * `not-implemented` for transfer codings other than `chunked`.
 */
export function parseHead(text: string): RequestHead {
  const lines = text.split('\r\n');
  const start = requestLine.exec(lines[0] ?? '');
  if (!start) throw bad('malformed request line');
  const http11 = start[3] === '1';
  const headers = readHeaders(lines);
  const connection = headers.connection === undefined ? [] : headers.connection.toLowerCase().split(/[ \t]*,[ \t]*/);
  const keepAlive = http11 ? !connection.includes('close') : connection.includes('keep-alive');
  return {
    method: start[1] ?? '',
    target: start[2] ?? '',
    http11,
    headers,
    keepAlive,
    body: readBodyKind(headers),
    upgrade:
      connection.includes('upgrade') || headers.upgrade !== undefined ? headers.upgrade?.toLowerCase() : undefined,
    expectContinue: http11 && headers.expect?.toLowerCase() === '100-continue',
  };
}
