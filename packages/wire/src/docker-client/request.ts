import { stringifyJson } from '../json.ts';
import type { Endpoint } from './endpoint.ts';

/** A value of the query: lists repeat the name, other objects are sent as JSON (filters), `undefined` is left out, `true` is 1. */
export type QueryValue = string | number | bigint | boolean | readonly string[] | object | undefined | null;

export interface DaemonCall {
  readonly query?: Readonly<Record<string, QueryValue>> | URLSearchParams | undefined;
  /** Bytes are sent as they are, an async iterable as it comes, anything else as JSON. */
  readonly body?: unknown;
  /** A list is sent as a field for each of its values. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** False for what has no `/v1.xx` before its path (`/_ping`, `/session`, `/grpc`). */
  readonly versioned?: boolean | undefined;
}

export type RequestBody = Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** The path with its query. */
export function targetOf(path: string, query: DaemonCall['query']): string {
  if (query === undefined) return path;
  const text = query instanceof URLSearchParams ? query.toString() : queryText(query);
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

function queryText(query: Readonly<Record<string, QueryValue>>): string {
  const parts: string[] = [];
  const add = (name: string, value: string): void => {
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  };
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'boolean') add(name, value ? '1' : '0');
    else if (Array.isArray(value)) for (const each of value as readonly string[]) add(name, each);
    else if (typeof value === 'object') add(name, JSON.stringify(value));
    else add(name, String(value));
  }
  return parts.join('&');
}

/** The body as it goes out, and its type where the caller says nothing. */
export function bodyOf(body: unknown): { readonly body: RequestBody; readonly type: string | undefined } {
  if (body === undefined) return { body: undefined, type: undefined };
  if (body instanceof Uint8Array) return { body, type: 'text/plain' };
  if (isStream(body)) return { body, type: 'text/plain' };
  return { body: Buffer.from(`${stringifyJson(body)}\n`), type: 'application/json' };
}

export function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

interface HeadParts {
  readonly method: string;
  readonly target: string;
  readonly body: RequestBody;
  /** Later ones win. */
  readonly headers: readonly Readonly<Record<string, string | readonly string[] | undefined>>[];
}

/** The head of a request as it goes out, with its empty line. Line breaks in a header's value are dropped. */
export function requestHead({ method, target, body, headers }: HeadParts): string {
  const all = new Map<string, readonly [string, string | readonly string[]]>();
  for (const group of headers) {
    for (const [name, value] of Object.entries(group)) {
      if (value === undefined) continue;
      all.set(name.toLowerCase(), [name.replace(/[^\w!#$%&'*+.^`|~-]/g, ''), value]);
    }
  }
  if (body instanceof Uint8Array) all.set('content-length', ['Content-Length', String(body.length)]);
  else if (body !== undefined) all.set('transfer-encoding', ['Transfer-Encoding', 'chunked']);
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH')
    all.set('content-length', ['Content-Length', '0']);
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of all.values()) {
    const fields = typeof value === 'string' ? [value] : value;
    for (const field of fields) text += `${name}: ${field.replace(/[\r\n\0]/g, '')}\r\n`;
  }
  return `${text}\r\n`;
}

/** The `Host` of requests: a name that no web page can have for what is no TCP. */
export function hostHeader({ host }: Endpoint): string {
  return /^(?:tcp|https?):\/\/([^/]+)/.exec(host)?.[1] ?? 'api.moby.localhost';
}
