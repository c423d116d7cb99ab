/** What a request path of the specification means (distribution-spec, "Endpoints"). */
export type Target =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'other' };

const OTHER: Target = { kind: 'other' };

/**
 * Takes a decoded path apart, from its end: names may hold any word, `blobs` and `manifests` too. The name is not checked here, so that what
 * is wrong with it gets its own error.
 */
export function parsePath(path: string): Target {
  if (!path.startsWith('/v2/')) return path === '/v2' ? { kind: 'base' } : OTHER;
  if (path.length === 4) return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const lastSlash = path.lastIndexOf('/');
  const last = path.slice(lastSlash + 1);
  const head = path.slice(0, lastSlash);
  if (head.endsWith('/manifests'))
    return named(head, '/manifests', (repository) => ({ kind: 'manifest', repository, reference: last }));
  if (last === 'uploads' && head.endsWith('/blobs'))
    return named(head, '/blobs', (repository) => ({ kind: 'uploads', repository }));
  if (head.endsWith('/blobs/uploads')) {
    return named(head, '/blobs/uploads', (repository) =>
      last === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id: last },
    );
  }
  if (head.endsWith('/blobs'))
    return named(head, '/blobs', (repository) => ({ kind: 'blob', repository, digest: last }));
  if (last === 'list' && head.endsWith('/tags'))
    return named(head, '/tags', (repository) => ({ kind: 'tags', repository }));
  if (head.endsWith('/referrers'))
    return named(head, '/referrers', (repository) => ({ kind: 'referrers', repository, digest: last }));
  return OTHER;
}

function named(head: string, suffix: string, make: (repository: string) => Target): Target {
  return make(head.slice('/v2/'.length, Math.max('/v2/'.length, head.length - suffix.length)));
}

/** The decoded path and the raw query of a request target; `undefined` when it is neither a path nor an absolute URL, or is broken. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } | undefined {
  const mark = target.indexOf('?');
  let raw = mark < 0 ? target : target.slice(0, mark);
  if (!raw.startsWith('/')) {
    const absolute = /^https?:\/\/[^/]*(\/.*)?$/i.exec(raw);
    if (!absolute) return undefined;
    raw = absolute[1] ?? '/';
  }
  try {
    const path = raw.includes('%') ? decodeURIComponent(raw) : raw;
    return path.includes('\0') ? undefined : { path, query: mark < 0 ? '' : target.slice(mark + 1) };
  } catch {
    return undefined;
  }
}
