/** What a device changes in a container (Container Device Interface specification, "containerEdits"). */
export interface ContainerEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly CdiDeviceNode[];
  readonly mounts?: readonly CdiMount[];
  readonly hooks?: readonly CdiHook[];
  readonly additionalGids?: readonly number[];
}

export interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

export interface CdiHook {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly timeout?: number;
}

export interface CdiSpecification {
  /** `vendor.com/class`. */
  readonly kind: string;
  readonly devices: readonly { readonly name: string; readonly containerEdits: ContainerEdits }[];
  /** For each of its devices, once per container. */
  readonly containerEdits: ContainerEdits;
}

const KIND = /^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]\/[A-Za-z][A-Za-z0-9_-]*$/;
const DEVICE_NAME = /^[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;
const QUALIFIED_NAME = /^([^/=]+\/[^/=]+)=(.+)$/;
const HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

/** Takes `vendor.com/class=name` apart; `undefined` when it is none. */
export function parseDeviceName(text: string): { readonly kind: string; readonly name: string } | undefined {
  const [, kind = '', name = ''] = QUALIFIED_NAME.exec(text) ?? [];
  return KIND.test(kind) && DEVICE_NAME.test(name) ? { kind, name } : undefined;
}

/** Checks what a specification's file holds. Throws an `Error` that says what is wrong with it. */
export function parseSpecification(value: unknown): CdiSpecification {
  if (!isRecord(value)) throw new Error('not an object');
  const { cdiVersion, kind, devices } = value;
  if (typeof cdiVersion !== 'string' || !/^v?(0\.[3-9]|1)\./.test(`${cdiVersion}.`)) {
    throw new Error(`unknown cdiVersion ${JSON.stringify(cdiVersion)}`);
  }
  if (typeof kind !== 'string' || !KIND.test(kind)) throw new Error(`invalid kind ${JSON.stringify(kind)}`);
  if (!Array.isArray(devices) || devices.length === 0) throw new Error('no devices');
  const names = new Set<string>();
  return {
    kind,
    containerEdits: parseEdits(value['containerEdits']),
    devices: devices.map((device: unknown) => {
      const name = isRecord(device) ? device['name'] : undefined;
      if (typeof name !== 'string' || !DEVICE_NAME.test(name)) {
        throw new Error(`invalid device name ${JSON.stringify(name)}`);
      }
      if (names.has(name)) throw new Error(`device ${JSON.stringify(name)} is there twice`);
      names.add(name);
      return { name, containerEdits: parseEdits(isRecord(device) ? device['containerEdits'] : undefined) };
    }),
  };
}

function parseEdits(value: unknown): ContainerEdits {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new Error('containerEdits is not an object');
  const edits = value as ContainerEdits;
  for (const entry of listOf(edits.env, 'env')) {
    if (typeof entry !== 'string' || entry.indexOf('=') < 1)
      throw new Error(`invalid environment variable ${JSON.stringify(entry)}`);
  }
  for (const node of listOf(edits.deviceNodes, 'deviceNodes')) {
    if (!isRecord(node) || !isAbsolute(node['path'])) throw new Error('a device node without an absolute path');
    const permissions = node['permissions'] ?? '';
    if (typeof permissions !== 'string' || !/^[rwm]*$/.test(permissions)) {
      throw new Error(`invalid permissions ${JSON.stringify(permissions)}`);
    }
  }
  for (const mount of listOf(edits.mounts, 'mounts')) {
    if (!isRecord(mount) || !isAbsolute(mount['containerPath']) || typeof mount['hostPath'] !== 'string') {
      throw new Error('a mount without hostPath and absolute containerPath');
    }
  }
  for (const hook of listOf(edits.hooks, 'hooks')) {
    if (!isRecord(hook) || !HOOKS.includes(String(hook['hookName'])) || !isAbsolute(hook['path'])) {
      throw new Error('a hook without a known hookName and an absolute path');
    }
  }
  listOf(edits.additionalGids, 'additionalGids');
  return edits;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value;
}

function isAbsolute(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('/');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
