import { readFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import type { IdMapping, IdRange } from '@wharf/linux/user-namespace';

/** The user dockerd makes for `--userns-remap=default`. */
const DEFAULT_REMAP_USER = 'dockremap';

/** Ids of the first range `default` falls to where nobody has set any aside; clear of what useradd(8) gives out. */
const DEFAULT_RANGE = { outside: 536_870_912, count: 65_536 };

/** The kernel takes no more lines in a map (user_namespaces(7)). */
const MAX_RANGES = 340;

export interface RemapFiles {
  readonly passwd: string;
  readonly group: string;
  readonly subuid: string;
  readonly subgid: string;
}

/** `--userns-remap` by the machine's own files. Throws `invalid-argument`. */
export function readRemap(setting: string): IdMapping {
  return remapOf(setting, {
    passwd: readText('/etc/passwd'),
    group: readText('/etc/group'),
    subuid: readText('/etc/subuid'),
    subgid: readText('/etc/subgid'),
  });
}

/**
 * The ids a container sees as 0 and on: the ranges that subuid(5) and subgid(5) set aside for `user[:group]`, each a name or a
 * number. `default` is the user dockremap, or a range of its own where there is none. Throws `invalid-argument`.
 */
export function remapOf(setting: string, files: RemapFiles): IdMapping {
  const [user = '', group, ...more] = setting.split(':');
  if (user === '' || group === '' || more.length > 0) {
    throw refuse(`Invalid user/group specification in --userns-remap: ${JSON.stringify(setting)}`);
  }
  if (setting === 'default') {
    const uids = rangesFor([DEFAULT_REMAP_USER], files.subuid);
    const gids = rangesFor([DEFAULT_REMAP_USER], files.subgid);
    const own = [{ inside: 0, ...DEFAULT_RANGE }];
    return uids.length > 0 && gids.length > 0 ? { uids, gids } : { uids: own, gids: own };
  }
  const owner = findRow(user, files.passwd);
  if (owner === undefined) throw refuse(`Error during uid lookup for ${JSON.stringify(user)}: no such user`);
  const groupName = group ?? owner.name;
  const ownerGroup = findRow(groupName, files.group);
  if (ownerGroup === undefined) throw refuse(`Error during gid lookup for ${JSON.stringify(groupName)}: no such group`);
  const uids = rangesFor([owner.name, owner.id], files.subuid);
  const gids = rangesFor([ownerGroup.name, ownerGroup.id], files.subgid);
  if (uids.length === 0) throw refuse(`no subuid ranges found for user ${JSON.stringify(owner.name)}`);
  if (gids.length === 0) throw refuse(`no subgid ranges found for group ${JSON.stringify(ownerGroup.name)}`);
  return { uids, gids };
}

/** A row of passwd(5) or group(5) by its name, else by its number. */
function findRow(key: string, text: string): { readonly name: string; readonly id: string } | undefined {
  const rows = text.split('\n').map((line) => line.split(':'));
  const row = rows.find(([name]) => name === key) ?? rows.find(([, , id]) => id === key);
  return row === undefined ? undefined : { name: row[0] ?? '', id: row[2] ?? '' };
}

/** The ranges of subuid(5) for one of `names`, laid end to end from 0 on. */
function rangesFor(names: readonly string[], text: string): readonly IdRange[] {
  const ranges: IdRange[] = [];
  let inside = 0;
  for (const line of text.split('\n')) {
    const [, name = '', start, length] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    const count = Number(length);
    if (!names.includes(name) || start === undefined || count === 0) continue;
    ranges.push({ inside, outside: Number(start), count });
    inside += count;
    if (ranges.length === MAX_RANGES) break;
  }
  return ranges;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

function refuse(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
