import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { Pattern } from '@wharf/builder/files/pattern';
import { WharfError } from '@wharf/kit';
import { MAX_LINKS } from '../limits.ts';

/**
 * The paths that must be sent so that `paths` can be read: themselves, and where symlinks on the way lead, which end at `root` as if it
 * were `/` (fsutil, "follow links"). `undefined` when that is everything.
 */
export function followPaths(root: string, paths: readonly string[]): readonly string[] | undefined {
  const found = new Set<string>();
  for (const path of paths) follow(root, '', path, found, 0);
  return found.has('') ? undefined : [...found].sort();
}

function follow(root: string, from: string, path: string, found: Set<string>, links: number): void {
  if (links > MAX_LINKS)
    throw new WharfError('invalid-argument', `Cannot send "${path}": its symlinks lead in a circle`);
  const rest = posix
    .join('/', from, path)
    .split('/')
    .filter((part) => part !== '');
  let current = '';
  for (const [index, part] of rest.entries()) {
    current = current === '' ? part : `${current}/${part}`;
    const targets = targetsOf(root, current);
    if (targets === undefined) continue;
    // A link on the way is sent itself, and then what stands at its end.
    if (found.has(current) && index === rest.length - 1) return;
    found.add(current);
    const below = rest.slice(index + 1).join('/');
    for (const target of targets) follow(root, '', posix.join(target, below), found, links + 1);
    return;
  }
  found.add(current);
}

/** Where a path's symlinks lead, from the root; `undefined` when it is none. The last part may hold wildcards. */
function targetsOf(root: string, path: string): readonly string[] | undefined {
  const name = posix.basename(path);
  if (/[*?[\\]/.test(name)) {
    const pattern = new Pattern(name);
    const directory = posix.dirname(path);
    const names = namesIn(`${root}/${directory}`).filter((each) => pattern.matches(each));
    const targets = names.flatMap((each) => linkTarget(root, posix.join(directory, each)) ?? []);
    return targets.length === 0 ? undefined : targets;
  }
  const target = linkTarget(root, path);
  return target === undefined ? undefined : [target];
}

function linkTarget(root: string, path: string): string | undefined {
  let status: ReturnType<typeof lstatSync>;
  try {
    status = lstatSync(`${root}/${path}`, { throwIfNoEntry: false });
  } catch {
    // Something on the way is no directory, or may not be looked at: the walk will tell.
    return undefined;
  }
  if (status?.isSymbolicLink() !== true) return undefined;
  const link = readlinkSync(`${root}/${path}`);
  return link.startsWith('/') ? posix.normalize(link) : posix.join('/', posix.dirname(path), link);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
