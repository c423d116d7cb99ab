import { existsSync } from 'node:fs';
import { type CollectionConfig, parseCollectionConfig } from '@wharf/engine/disk/collection-plan';
import type { EngineConfig } from '@wharf/engine/engine-config';
import { checkCgroupParent } from '@wharf/engine/runtime/cgroup-place';
import { WharfError } from '@wharf/kit';
import { parseBuildCacheConfig } from './build-cache.ts';
import { parseBuildHistoryConfig } from './build-history.ts';
import type { AddressPool, RawValue, RawValues, RuntimeChoice, Ulimit } from './raw-values.ts';
import { REGISTRY_DIRECTORIES } from './registry-directories.ts';
import { RUNC_SHIM } from './runtime-entry.ts';
import { readSeccompProfile } from './seccomp-file.ts';
import { readRemap } from './userns-remap.ts';

/** The daemon's settings, complete and checked: what the engine needs, and what the daemon itself does with its process. */
export interface DaemonConfig extends EngineConfig {
  readonly configFile: string;
  readonly pidfile: string;
  /** Group of the unix sockets. */
  readonly group: string | undefined;
  /** Containers run on when the daemon stops; unlike dockerd's, the default. */
  readonly liveRestore: boolean;
  readonly shutdownTimeoutSeconds: number;
  /** `undefined`: overlayfs where the kernel has it, else plain copies. */
  readonly storageDriver: 'overlayfs' | 'copy' | undefined;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
  readonly metricsAddress: string | undefined;
  /** Where the daemon serves a registry of its own; nowhere when empty. */
  readonly registryListen: readonly string[];
  readonly registryConfig: string | undefined;
  /** Unused images go by themselves when the disk fills; off when absent. */
  readonly collection: CollectionConfig | undefined;
  readonly tls: TlsFiles | undefined;
}

export interface TlsFiles {
  /** Clients must show a certificate of `caCert`. */
  readonly verify: boolean;
  readonly caCert: string | undefined;
  readonly cert: string;
  readonly key: string;
}

export const DEFAULT_HOST = 'unix:///run/wharf.sock';
const DEFAULT_DATA_ROOT = '/var/lib/wharf';
const DEFAULT_EXEC_ROOT = '/run/wharf';
const DEFAULT_BRIDGE = 'wharf0';

/** Runtimes that need no `--add-runtime`. */
const STOCK_RUNTIMES: Readonly<Record<string, RuntimeChoice>> = {
  crun: { path: 'crun', runtimeArgs: [] },
  runc: { path: 'runc', runtimeArgs: [] },
  [RUNC_SHIM]: { path: 'runc', runtimeArgs: [] },
};

/** Fills in the defaults and checks what concerns several directives at once. Throws `invalid-argument`. */
export function daemonConfig(values: RawValues, configFile: string): DaemonConfig {
  const reader = new ValueReader(values);
  const execRoot = reader.text('exec-root') ?? DEFAULT_EXEC_ROOT;
  const runtimes = { ...STOCK_RUNTIMES, ...reader.record<RuntimeChoice>('add-runtime') };
  const defaultRuntime = reader.text('default-runtime') ?? 'crun';
  if (runtimes[defaultRuntime] === undefined) {
    throw new WharfError('invalid-argument', `specified default runtime '${defaultRuntime}' does not exist`);
  }
  const hosts = reader.list('host');
  const debug = reader.flag('debug');
  const storageDriver = reader.text('storage-driver');
  return {
    configFile,
    hosts: hosts.length > 0 ? hosts : [DEFAULT_HOST],
    dataRoot: reader.text('data-root') ?? DEFAULT_DATA_ROOT,
    execRoot,
    pidfile: reader.text('pidfile') ?? `${execRoot}/wharfd.pid`,
    group: reader.text('group'),
    bridge: reader.text('bridge') ?? DEFAULT_BRIDGE,
    bip: reader.text('bip'),
    bip6: reader.text('bip6'),
    fixedCidr: reader.text('fixed-cidr'),
    fixedCidr6: reader.text('fixed-cidr-v6'),
    defaultGateway: reader.text('default-gateway'),
    defaultGateway6: reader.text('default-gateway-v6'),
    ipv6: reader.flag('ipv6', true),
    icc: reader.flag('icc', true),
    ipMasquerade: reader.flag('ip-masq', true),
    addressPools: (values.get('default-address-pool') as readonly AddressPool[] | undefined) ?? [],
    defaultNetworkOptions: reader.record<Readonly<Record<string, string>>>('default-network-opt'),
    mtu: reader.number('mtu') ?? 0,
    hostIp: reader.text('ip') ?? '0.0.0.0',
    dns: reader.list('dns'),
    dnsSearch: reader.list('dns-search'),
    dnsOptions: reader.list('dns-opt'),
    defaultRuntime,
    runtimes,
    ...cgroupsOf(reader),
    cdiSpecDirs: cdiDirectoriesOf(reader),
    walls: wallsOf(reader),
    init: reader.flag('init'),
    initPath: reader.text('init-path'),
    buildCache: parseBuildCacheConfig(reader.text('builder-gc') ?? '{}'),
    buildHistory: parseBuildHistoryConfig(reader.text('builder-history') ?? '{}'),
    buildEntitlements: [
      ...(reader.flag('builder-network-host', true) ? ['network.host'] : []),
      ...(reader.flag('builder-security-insecure') ? ['security.insecure'] : []),
    ],
    defaultShmSizeBytes: parseByteSize(reader.text('default-shm-size') ?? '64m'),
    defaultUlimits: ulimitsOf(values),
    liveRestore: reader.flag('live-restore', true),
    shutdownTimeoutSeconds: reader.number('shutdown-timeout') ?? 15,
    storageDriver: storageDriver === undefined ? undefined : storageDriver.startsWith('overlay') ? 'overlayfs' : 'copy',
    logLevel: debug ? 'debug' : (reader.text('log-level') ?? 'info'),
    logFormat: reader.text('log-format') === 'text' ? 'text' : 'json',
    debug,
    logDriver: reader.text('log-driver') ?? 'json-file',
    logOptions: reader.record<string>('log-opt'),
    pluginDirs: reader.list('plugin-dir'),
    registryMirrors: reader.list('registry-mirror'),
    insecureRegistries: reader.list('insecure-registry'),
    ...registriesOf(reader),
    labels: conflictFree(reader.list('label')),
    metricsAddress: reader.text('metrics-addr'),
    registryListen: reader.list('registry-listen'),
    registryConfig: reader.text('registry-config'),
    collection: parseCollectionConfig(reader.record<string>('gc-opt')),
    tls: tlsOf(reader),
  };
}

function cgroupsOf(reader: ValueReader): Pick<EngineConfig, 'cgroupDriver' | 'cgroupParent'> {
  const cgroupDriver = reader.list('exec-opt').includes('native.cgroupdriver=systemd') ? 'systemd' : 'cgroupfs';
  if (cgroupDriver === 'systemd' && !existsSync('/run/systemd/system')) {
    throw new WharfError('failed-precondition', 'Cannot use the cgroup driver "systemd": systemd does not run here', {
      hint: 'Leave native.cgroupdriver out, or set it to cgroupfs.',
    });
  }
  const cgroupParent = reader.text('cgroup-parent');
  checkCgroupParent(cgroupDriver, cgroupParent);
  return { cgroupDriver, cgroupParent };
}

/** The places the CDI specification names, those of a running system over those of the administrator. */
const CDI_DIRECTORIES = ['/etc/cdi', '/var/run/cdi'];

function cdiDirectoriesOf(reader: ValueReader): readonly string[] {
  const given = reader.list('cdi-spec-dir');
  return given.length === 0 ? CDI_DIRECTORIES : given.filter((path) => path !== '');
}

function wallsOf(reader: ValueReader): EngineConfig['walls'] {
  const ipc = reader.text('default-ipc-mode');
  const cgroupns = reader.text('default-cgroupns-mode');
  const remap = reader.text('userns-remap');
  return {
    seccompProfile: readSeccompProfile(reader.text('seccomp-profile') ?? 'builtin'),
    noNewPrivileges: reader.flag('no-new-privileges'),
    ipcMode: ipc === 'private' || ipc === 'shareable' ? ipc : undefined,
    cgroupnsMode: cgroupns === 'private' || cgroupns === 'host' ? cgroupns : undefined,
    userNamespace: remap === undefined ? undefined : readRemap(remap),
  };
}

/** Where clients of registries look besides: Docker's own folder serves machines that had Docker before. */

function registriesOf(reader: ValueReader) {
  const directories = reader.list('registry-config-dir');
  return {
    registryDirectories: directories.length > 0 ? directories : REGISTRY_DIRECTORIES,
    maxConcurrentDownloads: reader.number('max-concurrent-downloads') ?? 3,
    maxConcurrentUploads: reader.number('max-concurrent-uploads') ?? 5,
    maxDownloadAttempts: reader.number('max-download-attempts') ?? 5,
    httpProxy: reader.text('http-proxy'),
    httpsProxy: reader.text('https-proxy'),
    noProxy: reader.text('no-proxy'),
  };
}

function tlsOf(reader: ValueReader): DaemonConfig['tls'] {
  const verify = reader.flag('tlsverify');
  if (!verify && !reader.flag('tls')) return undefined;
  const cert = reader.text('tlscert');
  const key = reader.text('tlskey');
  const caCert = reader.text('tlscacert');
  if (cert === undefined || key === undefined)
    throw new WharfError('invalid-argument', 'TLS needs both --tlscert and --tlskey');
  if (verify && caCert === undefined) throw new WharfError('invalid-argument', '--tlsverify needs --tlscacert');
  return { verify, caCert, cert, key };
}

function ulimitsOf(values: RawValues): EngineConfig['defaultUlimits'] {
  const limits = (values.get('default-ulimit') as readonly Ulimit[] | undefined) ?? [];
  return limits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }));
}

/** Drops repeated labels; the same key with two values is refused as dockerd does. */
function conflictFree(labels: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const entry of labels) {
    const [key = '', ...rest] = entry.split('=');
    const value = rest.join('=');
    const known = seen.get(key);
    if (known !== undefined && known !== value) {
      throw new WharfError('invalid-argument', `conflict labels for ${key}=${value} and ${key}=${known}`);
    }
    seen.set(key, value);
  }
  return [...seen].map(([key, value]) => `${key}=${value}`);
}

function parseByteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)/i.exec(text);
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((match?.[2] ?? '').toLowerCase());
  return Math.floor(Number(match?.[1] ?? 0) * 1024 ** power);
}

/** Typed reading of values that raw-values.ts has checked already. An empty string counts as not given. */
class ValueReader {
  readonly #values: ReadonlyMap<string, RawValue>;

  constructor(values: ReadonlyMap<string, RawValue>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  flag(name: string, whenAbsent = false): boolean {
    const value = this.#values.get(name);
    return typeof value === 'boolean' ? value : whenAbsent;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }

  list(name: string): readonly string[] {
    return (this.#values.get(name) as readonly string[] | undefined) ?? [];
  }

  record<T>(name: string): Readonly<Record<string, T>> {
    return (this.#values.get(name) as Readonly<Record<string, T>> | undefined) ?? {};
  }
}
