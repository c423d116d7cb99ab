import { posix } from 'node:path';
import { refuse } from './refuse.ts';

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** Reads `/dev/x`, `/dev/x:/dev/y`, `/dev/x:rw`, `/dev/x:/dev/y:rwm`. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [first = '', second, third] = parts;
  if (parts.length > 3 || first === '') throw refuse(`bad format for path: ${text}`);
  if (second === undefined) {
    const path = posixClean(first);
    if (!path.startsWith('/')) throw refuse(`${first} is not an absolute path`);
    return { PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' };
  }
  if (third === undefined && isDeviceMode(second)) {
    const path = posixClean(first);
    if (!path.startsWith('/')) throw refuse(`${first} is not an absolute path`);
    return { PathOnHost: path, PathInContainer: path, CgroupPermissions: second };
  }
  if (third !== undefined && !isDeviceMode(third)) throw refuse(`bad mode specified: ${third}`);
  if (!second.startsWith('/')) throw refuse(`${second} is not an absolute path`);
  const inside = third === undefined ? posixClean(second) : second;
  return { PathOnHost: first, PathInContainer: inside, CgroupPermissions: third ?? 'rwm' };
}

/** True for a device of the Container Device Interface: `vendor.com/class=name`. */
export function isCdiName(text: string): boolean {
  const word = '[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?';
  return new RegExp(`^${word}/${word}=[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$`).test(text);
}

/** Letters of `rwm`, each at most once. */
function isDeviceMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

/** Go's path.Clean: as `normalize`, without the slash at the end. */
export function posixClean(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}
