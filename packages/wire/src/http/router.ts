import type { Route } from './route.ts';

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly expression: RegExp;
  readonly names: readonly string[];
}

const capture = /\{([A-Za-z][A-Za-z0-9]*)(?::(\.\*|\.\+))?\}/g;

function compile(route: Route): Compiled {
  const names: string[] = [];
  let source = '';
  let last = 0;
  for (const match of route.pattern.matchAll(capture)) {
    source += literal(route.pattern.slice(last, match.index));
    names.push(match[1] ?? '');
    source += match[2] === undefined ? '([^/]+)' : `(${match[2]})`;
    last = match.index + match[0].length;
  }
  source += literal(route.pattern.slice(last));
  return { route, expression: new RegExp(`^${source}$`, 's'), names };
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The first path segment of a pattern when it has no capture, for the index. */
function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path : path.slice(0, end);
}

/**
 * Finds the route of a request. Rows are indexed by method and first segment; within one such group the first row that
 * matches answers, so a literal row goes before one with captures.
 */
export class Router {
  readonly #groups = new Map<string, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segment = firstSegment(route.pattern);
      if (!route.pattern.startsWith('/') || segment.includes('{')) {
        throw new TypeError(`route ${route.method} ${route.pattern} must start with a literal segment`);
      }
      const key = `${route.method} ${segment}`;
      const group = this.#groups.get(key);
      if (group) group.push(compile(route));
      else this.#groups.set(key, [compile(route)]);
    }
  }

  /** `path` is percent-decoded and without version prefix. `minor` is the negotiated API version's second number. */
  find(method: string, path: string, minor: number): RouteMatch | undefined {
    const group = this.#groups.get(`${method} ${firstSegment(path)}`);
    if (!group) return undefined;
    for (const { route, expression, names } of group) {
      const match = expression.exec(path);
      if (!match || (route.since !== undefined && minor < route.since)) continue;
      const params: Record<string, string> = {};
      for (const [i, name] of names.entries()) params[name] = match[i + 1] ?? '';
      return { route, params };
    }
    return undefined;
  }
}

/** A request target taken apart. */
export interface Target {
  /** Percent-decoded, without version prefix. */
  readonly path: string;
  /** The version as sent, without the `v`; `undefined` without prefix. */
  readonly version: string | undefined;
  readonly query: string;
  /** Set when the path has empty, `.` or `..` segments: where the clean path is, as dockerd's router redirects. */
  readonly redirect?: string;
}

/** Splits a request target; `undefined` when its percent-encoding is broken or it is not a path. */
export function parseTarget(target: string): Target | undefined {
  const mark = target.indexOf('?');
  let raw = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (!raw.startsWith('/')) {
    // The absolute form, which a proxy's client sends (RFC 9112, section 3.2.2).
    const absolute = /^https?:\/\/[^/]*(\/.*)?$/i.exec(raw);
    if (!absolute) return undefined;
    raw = absolute[1] ?? '/';
  }
  const decoded = decodePath(raw);
  if (decoded === undefined || decoded.includes('\0')) return undefined;
  const clean = cleanPath(decoded);
  const redirect = clean === decoded ? undefined : encodeURI(clean) + (mark < 0 ? '' : `?${query}`);
  const prefix = /^\/v([0-9.]+)(\/.*)$/.exec(clean);
  const rest = prefix ? { path: prefix[2] ?? '/', version: prefix[1] } : { path: clean, version: undefined };
  return redirect === undefined ? { ...rest, query } : { ...rest, query, redirect };
}

function decodePath(raw: string): string | undefined {
  try {
    return raw.includes('%') ? decodeURIComponent(raw) : raw;
  } catch {
    return undefined;
  }
}

function cleanPath(path: string): string {
  if (!/\/\/|\/\.\.?(?:\/|$)/.test(path)) return path;
  const out: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') out.pop();
    else out.push(segment);
  }
  return `/${out.join('/')}${path.endsWith('/') && out.length > 0 ? '/' : ''}`;
}
