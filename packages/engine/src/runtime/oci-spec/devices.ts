import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { statNs } from '@wharf/linux/fsx';
import type { DeviceMapping } from '@wharf/wire/docker/types';
import type { SpecDevice, SpecDeviceRule } from './spec.ts';

/** Docker's default rules: nothing, but making device nodes and the harmless ones. */
export const DEFAULT_DEVICE_RULES: readonly SpecDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...(
    [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 1],
      [5, 2],
    ] as const
  ).map(([major, minor]) => ({
    allow: true,
    type: 'c',
    major,
    minor,
    access: 'rwm',
  })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

export const ALL_DEVICES_RULE: SpecDeviceRule = { allow: true, access: 'rwm' };

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

interface ChosenDevices {
  readonly devices: readonly SpecDevice[];
  readonly rules: readonly SpecDeviceRule[];
}

/**
 * The nodes and rules for `--device`; a directory stands for all devices in it. Throws `invalid-argument` in Docker's words.
 */
export function mappedDevices(mappings: readonly DeviceMapping[]): ChosenDevices {
  const devices: SpecDevice[] = [];
  const rules: SpecDeviceRule[] = [];
  for (const { PathOnHost, PathInContainer, CgroupPermissions } of mappings) {
    const inside = PathInContainer || PathOnHost;
    const found = devicesAt(PathOnHost, inside);
    if (found.length === 0) {
      const reason = existsSync(PathOnHost) ? 'not a device node' : 'no such file or directory';
      throw new WharfError(
        'internal',
        `error gathering device information while adding custom device "${PathOnHost}": ${reason}`,
      );
    }
    for (const device of found) {
      devices.push(device);
      rules.push({
        allow: true,
        type: device.type,
        major: device.major,
        minor: device.minor,
        access: CgroupPermissions || 'rwm',
      });
    }
  }
  return { devices, rules };
}

/** All devices of the host, for `--privileged`. */
export function hostDevices(): readonly SpecDevice[] {
  return devicesAt('/dev', '/dev').filter(({ path }) => path !== '/dev/console');
}

// Mount points of their own in every container.
const skipped = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

function devicesAt(hostPath: string, inside: string): readonly SpecDevice[] {
  try {
    if (!statSync(hostPath).isDirectory()) {
      const device = deviceAt(hostPath, inside);
      return device === undefined ? [] : [device];
    }
    return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
      if (skipped.has(entry.name) || entry.isSymbolicLink()) return [];
      if (!entry.isDirectory() && !entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
      return [...devicesAt(join(hostPath, entry.name), join(inside, entry.name))];
    });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function deviceAt(hostPath: string, inside: string): SpecDevice | undefined {
  const { mode, uid, gid, rdevMajor, rdevMinor } = statNs(hostPath);
  const kind = mode & S_IFMT;
  if (kind !== S_IFCHR && kind !== S_IFBLK) return undefined;
  return {
    path: inside,
    type: kind === S_IFCHR ? 'c' : 'b',
    major: rdevMajor,
    minor: rdevMinor,
    fileMode: mode & 0o7777,
    uid,
    gid,
  };
}

const rulePattern = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/;

/** Parses `--device-cgroup-rule` (`c 42:* rmw`). Throws `invalid-argument`. */
export function parseDeviceRule(text: string): SpecDeviceRule {
  const match = rulePattern.exec(text);
  if (match === null) throw new WharfError('invalid-argument', `invalid device cgroup rule format: '${text}'`);
  const [, type = 'a', major = '*', minor = '*', access = 'rwm'] = match;
  return {
    allow: true,
    type,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}
