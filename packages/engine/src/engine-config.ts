import type { Ulimit } from '@wharf/wire/docker/types';

/**
 * What the rooms need to know of the daemon's configuration; the daemon's own configuration has this form and more.
 */
export interface EngineConfig {
  readonly dataRoot: string;
  readonly execRoot: string;
  /** The addresses the API answers on, as `--host` gives them. */
  readonly hosts: readonly string[];
  readonly labels: readonly string[];
  readonly debug: boolean;

  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly runtimeArgs: readonly string[] }>>;
  /** `--init` uses it; found on PATH (`docker-init`, `tini`, `catatonit`) when absent. */
  readonly initPath: string | undefined;
  /** Every container gets an init unless it says otherwise. */
  readonly init: boolean;
  readonly cgroupParent: string | undefined;
  readonly defaultUlimits: readonly Ulimit[];
  readonly defaultShmSizeBytes: number;

  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;

  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];

  /** Name of the default bridge; `none` for no default network. */
  readonly bridge: string;
  readonly bip: string | undefined;
  /** 0 leaves the kernel's choice. */
  readonly mtu: number;
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
}

/** A configuration with every default, for tests. */
export function defaultEngineConfig(
  given: Partial<EngineConfig> & Pick<EngineConfig, 'dataRoot' | 'execRoot'>,
): EngineConfig {
  return {
    hosts: [],
    labels: [],
    debug: false,
    defaultRuntime: 'crun',
    runtimes: { crun: { path: 'crun', runtimeArgs: [] }, runc: { path: 'runc', runtimeArgs: [] } },
    initPath: undefined,
    init: false,
    cgroupParent: undefined,
    defaultUlimits: [],
    defaultShmSizeBytes: 64 * 1024 * 1024,
    logDriver: 'json-file',
    logOptions: {},
    registryMirrors: [],
    insecureRegistries: [],
    bridge: 'wharf0',
    bip: undefined,
    mtu: 0,
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    ...given,
  };
}
