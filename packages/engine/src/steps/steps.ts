import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ContainerId, type Logger, messageOf, ZERO_TIME } from '@wharf/kit';
import { listMounts, unmount } from '@wharf/linux/mount';
import { hostPlatform } from '@wharf/oci/spec/platform';
import type { StepLimits, StepOrder, StepProcess, StepVolume } from '@wharf/oci/steps/step';
import type { HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { ContainerService } from '../containers/container-service.ts';
import { withHostDefaults } from '../containers/merge.ts';
import { userIn } from '../containers/user-lookup.ts';
import type { EngineConfig } from '../engine-config.ts';
import type { NetworkService } from '../networks/network-service.ts';
import { cgroupPlace } from '../runtime/cgroup-place.ts';
import { buildSpec, stringifySpec } from '../runtime/oci-spec/build.ts';
import { readHostLimits } from '../runtime/oci-spec/host-limits.ts';
import type { Spec, SpecMount } from '../runtime/oci-spec/spec.ts';
import type { OciRuntime, Runtimes } from '../runtime/runtime.ts';
import { COMPILED_FILTER_ANNOTATION } from '../runtime/seccomp/compiled-filters.ts';
import { readCgroupFacts } from '../system/cgroup-facts.ts';
import { networkPeer } from './network-peer.ts';
import { runWithStdio } from './run-with-stdio.ts';
import { STEPS_DIR, type StepService } from './step.ts';
import { execIn } from './step-exec.ts';

/** How often a step's state is looked at for the seccomp filter that its runtime has compiled, until one is known. */
const LEARN_EVERY_MS = 5;
const LEARN_TRIES = 100;

export interface StepDeps {
  readonly config: EngineConfig;
  readonly networks: NetworkService;
  /** Those whose network a step may join. */
  readonly containers: Pick<ContainerService, 'get'>;
  readonly runtimes: Runtimes;
  readonly log: Logger;
}

/** The room of steps. Nothing of a step outlives it, or, after a crash, the next start of the daemon. */
export function createStepService(deps: StepDeps): StepService {
  const host = readHostLimits(deps.config);
  const cgroups = readCgroupFacts();
  return {
    recover: () => recover(deps),
    async run(order) {
      const peerId = networkPeer(order.network, (name) => deps.containers.get(name));
      const step = peerId === undefined ? order : { ...order, network: `container:${peerId}` };
      await using undo = new AsyncDisposableStack();
      const hostConfig = withHostDefaults(hostConfigOf(step), {
        config: deps.config,
        defaultRuntime: deps.runtimes.defaultName,
        cgroupVersion: cgroups.version,
      });
      const runtime = deps.runtimes.get(hostConfig.Runtime);
      const record = await recordOf(deps, step, hostConfig);
      const network = await setUpNetwork(deps, step, record, undo);
      const spec = buildSpec({
        ...{ record, host, user: userIn(step.rootfs, step.user) },
        namespaces: {
          ...{ pid: 'private', ipc: 'private', uts: 'private', user: 'host' },
          cgroup: hostConfig.CgroupnsMode === 'private' ? 'private' : 'host',
          network: network.choice,
        },
        networkFiles: network.files,
        volumes: step.volumes.map(specMount),
        shmPath: undefined,
        shmSizeBytes: hostConfig.ShmSize || deps.config.defaultShmSizeBytes,
        initPath: undefined,
        cgroupsPath: cgroupPlace(deps.config.cgroupDriver, hostConfig.CgroupParent || deps.config.cgroupParent, step.id)
          .specPath,
        defaultUlimits: deps.config.defaultUlimits,
      });
      const bundle = dirname(step.rootfs);
      const tuned = runtime.tune(spec);
      writeFileSync(join(bundle, 'config.json'), stringifySpec(tuned), { mode: 0o600 });
      using _learning = learnFilter(runtime, step.id, spec);
      const exec = execIn({ runtime, step, record, host, defaultUlimits: deps.config.defaultUlimits });
      return await runToEnd(deps, runtime, step, { bundle, exec });
    },
  };
}

/** Learns the seccomp filter that a runtime compiles, which is there only while the command runs; a container may never come by. */
function learnFilter(runtime: OciRuntime, id: string, spec: Spec): Disposable {
  let left = LEARN_TRIES;
  const isDone = (): boolean => left-- === 0 || COMPILED_FILTER_ANNOTATION in (runtime.tune(spec).annotations ?? {});
  const timer = setInterval(() => {
    runtime.learn(id, spec);
    if (isDone()) clearInterval(timer);
  }, LEARN_EVERY_MS);
  if (isDone()) clearInterval(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A step's directory outlives it only when the daemon was killed. */
async function recover({ config, runtimes, log }: StepDeps): Promise<readonly string[]> {
  const root = join(config.execRoot, STEPS_DIR);
  const ids = await readdir(root).catch(() => []);
  for (const id of ids) {
    for (const name of runtimes.names) await runtimes.get(name).delete(id);
    const mounts = listMounts().filter(({ mountPoint }) => mountPoint.startsWith(`${join(root, id)}/`));
    for (const { mountPoint } of mounts.toReversed()) unmount(mountPoint, { detach: true });
    await rm(join(root, id), { recursive: true, force: true });
  }
  if (ids.length > 0) log.info({ steps: ids }, 'steps of interrupted builds are ended');
  return ids;
}

async function setUpNetwork(deps: StepDeps, step: StepOrder, record: ContainerRecord, undo: AsyncDisposableStack) {
  const directory = join(dirname(step.rootfs), 'network');
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  undo.defer(async () => {
    await deps.networks.tearDown(record);
    await deps.networks.forget(record);
  });
  const peerId = networkPeer(step.network, (name) => deps.containers.get(name));
  const peer = peerId === undefined ? undefined : deps.containers.get(peerId);
  const { netnsPath, endpoints } = await deps.networks.setUp(record, { containerDir: directory, peer });
  // A step in another's network has its files, which are looked for beside those of the one that asks.
  const filesDirectory = peer === undefined ? directory : join(deps.config.dataRoot, 'containers', step.id);
  const files = await deps.networks.writeFiles({ ...record, endpoints }, filesDirectory);
  return { choice: netnsPath === undefined ? ('host' as const) : { path: netnsPath }, files };
}

/** The runtime runs the command itself, with pipes of ours: a build that lost its daemon has no use for a monitor. */
async function runToEnd(
  deps: StepDeps,
  runtime: OciRuntime,
  step: StepOrder,
  own: { readonly bundle: string; readonly exec: StepProcess['exec'] },
): Promise<{ readonly exitCode: number }> {
  const { bundle, exec } = own;
  const remove = () => runtime.delete(step.id);
  try {
    return await runWithStdio(step, {
      path: runtime.executable,
      argv: [runtime.path, ...runtime.globalArguments, 'run', '--bundle', bundle, step.id],
      cwd: bundle,
      exec,
      kill: () => {
        remove().catch((error: unknown) => {
          deps.log.warn({ step: step.id, err: messageOf(error) }, 'a step could not be killed');
        });
      },
    });
  } finally {
    if (step.signal.aborted) await remove().catch(() => {});
  }
}

function specMount(volume: StepVolume): SpecMount {
  if (volume.kind === 'tmpfs') {
    const size = volume.sizeBytes > 0 ? [`size=${volume.sizeBytes}`] : [];
    return { destination: volume.target, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', ...size] };
  }
  const access = volume.readOnly ? 'ro' : 'rw';
  return { destination: volume.target, type: 'bind', source: volume.source, options: ['rbind', 'rprivate', access] };
}

function hostConfigOf(step: StepOrder): HostConfig {
  return {
    Privileged: step.privileged,
    NetworkMode: step.network,
    ExtraHosts: [...step.extraHosts],
    ...limitsOf(step.limits),
  };
}

function limitsOf(limits: StepLimits): HostConfig {
  const given: Record<string, unknown> = {
    Memory: limits.memoryBytes,
    MemorySwap: limits.memorySwapBytes,
    CpuShares: limits.cpuShares,
    CpuPeriod: limits.cpuPeriod,
    CpuQuota: limits.cpuQuota,
    CpusetCpus: limits.cpusetCpus,
    CpusetMems: limits.cpusetMems,
    CgroupParent: limits.cgroupParent,
    ShmSize: limits.shmSizeBytes,
    Ulimits: limits.ulimits,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** A step looks like a container to the rooms that serve containers; no store ever sees this record. */
async function recordOf(deps: StepDeps, step: StepOrder, hostConfig: HostConfig): Promise<ContainerRecord> {
  const [path = '', ...args] = step.args;
  const endpoints = await deps.networks.plan({ hostConfig, networkingConfig: undefined, hostname: step.hostname });
  return {
    id: step.id as ContainerId,
    name: `build-step-${step.id.slice(0, 12)}`,
    createdAt: ZERO_TIME,
    ...{ path, args },
    config: {
      ...{ Hostname: step.hostname, User: step.user, WorkingDir: step.cwd, Env: [...step.env] },
      Tty: step.console?.tty === true,
    },
    hostConfig,
    ...{ imageId: '', manifestDigest: '', platform: hostPlatform(), chainId: '', snapshotKey: '' },
    ...{ mounts: [], endpoints, ports: {} },
    state: {
      ...{ status: 'running', pid: 0, monitorPid: 0, exitCode: 0, error: '', oomKilled: false },
      ...{ startedAt: ZERO_TIME, finishedAt: ZERO_TIME, restartCount: 0 },
      ...{ manuallyStopped: false, hasBeenStarted: false },
    },
  };
}
