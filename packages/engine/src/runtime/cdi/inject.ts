import { WharfError } from '@wharf/kit';
import { statNs } from '@wharf/linux/fsx';
import type { DeviceRequest } from '@wharf/wire/docker/types';
import type { Spec, SpecDevice, SpecDeviceRule, SpecHook } from '../oci-spec/spec.ts';
import { type CdiDevices, readCdiDevices } from './registry.ts';
import type { CdiDeviceNode, ContainerEdits } from './specification.ts';

/** Classes of devices that `--gpus` means, the first there is. */
const GPU_KINDS = ['nvidia.com/gpu', 'amd.com/gpu'];
const S_IFMT = 0o170000;
const S_IFBLK = 0o060000;

/**
 * The specification with the devices of `DeviceRequests` (`--device vendor.com/class=name`, `--gpus`). Throws in Docker's words: what no
 * driver serves is `invalid-argument`, a device that is not there `internal`.
 */
export function injectDevices(spec: Spec, requests: readonly DeviceRequest[], directories: readonly string[]): Spec {
  if (requests.length === 0) return spec;
  const known = readCdiDevices(directories);
  const names = requests.flatMap((request) => namesOf(request, known, directories));
  const missing = names.filter((name) => !known.devices.has(name));
  if (missing.length > 0) {
    throw new WharfError('internal', `CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`);
  }
  const found = [...new Set(names)].flatMap((name) => known.devices.get(name) ?? []);
  const common = new Set(found.map((device) => device.common.containerEdits));
  return [...common, ...found.map(({ edits }) => edits)].reduce(applyEdits, spec);
}

function namesOf(request: DeviceRequest, known: CdiDevices, directories: readonly string[]): readonly string[] {
  const ids = request.DeviceIDs ?? [];
  const driver = request.Driver ?? '';
  if (driver === 'cdi' && directories.length > 0) {
    if ((request.Count ?? 0) !== 0) throw refuse('unexpected count in CDI device request');
    if (Object.keys(request.Options ?? {}).length > 0) throw refuse('unexpected options in CDI device request');
    return ids;
  }
  const wanted = (request.Capabilities ?? []).map((set) => set ?? []);
  const wantsGpu = wanted.some((set) => set.includes('gpu'));
  const kinds = GPU_KINDS.filter((kind) => driver === '' || kind.startsWith(`${driver}.`));
  const kind = kinds.find((each) => [...known.devices.keys()].some((id) => id.startsWith(`${each}=`)));
  if (!wantsGpu || kind === undefined) {
    const sets = wanted.map((set) => `[${set.join(' ')}]`).join(' ');
    throw refuse(`could not select device driver ${JSON.stringify(driver)} with capabilities: [${sets}]`);
  }
  if (ids.length > 0) return ids.map((id) => `${kind}=${id}`);
  const count = request.Count ?? 0;
  if (count < 0) return [`${kind}=all`];
  return Array.from({ length: count }, (_, index) => `${kind}=${index}`);
}

function refuse(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}

function applyEdits(spec: Spec, edits: ContainerEdits): Spec {
  const nodes = (edits.deviceNodes ?? []).map(resolveNode);
  const paths = new Set(nodes.map(({ device }) => device.path));
  const targets = new Set((edits.mounts ?? []).map(({ containerPath }) => containerPath));
  const keys = new Set((edits.env ?? []).map(nameOf));
  const { process, linux } = spec;
  const groups = new Set([...process.user.additionalGids, ...(edits.additionalGids ?? []).filter((gid) => gid > 0)]);
  const hooks = withHooks(spec.hooks, edits);
  return {
    ...spec,
    process: {
      ...process,
      env: [...process.env.filter((entry) => !keys.has(nameOf(entry))), ...(edits.env ?? [])],
      user: { ...process.user, additionalGids: [...groups] },
    },
    mounts: [
      ...spec.mounts.filter(({ destination }) => !targets.has(destination)),
      ...(edits.mounts ?? []).map(({ hostPath, containerPath, type, options }) => ({
        destination: containerPath,
        source: hostPath,
        type: type ?? 'bind',
        options: options ?? ['rbind'],
      })),
    ],
    ...(hooks === undefined ? {} : { hooks }),
    linux: {
      ...linux,
      devices: [...linux.devices.filter(({ path }) => !paths.has(path)), ...nodes.map(({ device }) => device)],
      resources: {
        ...linux.resources,
        devices: [...(linux.resources.devices ?? []), ...nodes.map(({ rule }) => rule)],
      },
    },
  };
}

function nameOf(entry: string): string {
  return entry.slice(0, entry.indexOf('='));
}

/** What the specification leaves open is as on the host. */
function resolveNode(node: CdiDeviceNode): { readonly device: SpecDevice; readonly rule: SpecDeviceRule } {
  const host = lookUp(node);
  const type: SpecDevice['type'] = node.type === 'b' || node.type === 'c' || node.type === 'p' ? node.type : host.type;
  const [major, minor] = [node.major ?? host.major, node.minor ?? host.minor];
  const device: SpecDevice = {
    path: node.path,
    type,
    major,
    minor,
    ...(node.fileMode === undefined ? {} : { fileMode: node.fileMode }),
    uid: node.uid ?? host.uid,
    gid: node.gid ?? host.gid,
  };
  return { device, rule: { allow: true, type, major, minor, access: node.permissions || 'rwm' } };
}

function lookUp(node: CdiDeviceNode) {
  const path = node.hostPath ?? node.path;
  if (node.type !== undefined && node.major !== undefined && node.minor !== undefined) {
    return { type: 'c', major: 0, minor: 0, uid: 0, gid: 0 } as const;
  }
  try {
    const { mode, rdevMajor, rdevMinor, uid, gid } = statNs(path);
    const type = (mode & S_IFMT) === S_IFBLK ? ('b' as const) : ('c' as const);
    return { type, major: rdevMajor, minor: rdevMinor, uid, gid };
  } catch (error) {
    throw new WharfError(
      'internal',
      `CDI device injection failed: failed to stat CDI host device ${JSON.stringify(path)}`,
      {
        cause: error,
      },
    );
  }
}

function withHooks(before: Spec['hooks'], edits: ContainerEdits): Spec['hooks'] {
  if ((edits.hooks ?? []).length === 0) return before;
  const hooks: Record<string, readonly SpecHook[]> = { ...before };
  for (const { hookName, ...hook } of edits.hooks ?? []) hooks[hookName] = [...(hooks[hookName] ?? []), hook];
  return hooks;
}
