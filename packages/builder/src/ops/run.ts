import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, type Semaphore, WharfError } from '@wharf/kit';
import { unmountAside } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { checkRunnable } from '../emulation.ts';
import { resolveInTree } from '../files/resolve-path.ts';
import type { StepLimits, StepRunner, StepVolume } from '../interfaces.ts';
import type { RunVertex, StepMount } from '../plan/vertex.ts';
import type { MadeTree } from '../solver/operations.ts';
import type { Result, Tree } from '../solver/tree.ts';
import type { CacheDirectories } from './cache-directories.ts';
import { mountPoints } from './mount-points.ts';
import { type LayerDeps, makeLayer } from './new-layer.ts';
import { StepError } from './step-error.ts';
import { prepareMounts, type StepSecrets } from './step-mounts.ts';

const HOSTNAME = 'buildkitsandbox';

/** What a whole build says of its steps. */
export interface StepSettings {
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits;
  readonly secrets: StepSecrets;
}

export interface RunDeps extends LayerDeps {
  readonly runner: StepRunner;
  readonly caches: CacheDirectories;
  readonly execRoot: string;
  readonly steps: Semaphore;
  readonly settings: StepSettings;
}

/**
 * Runs a command on top of its base. Throws StepError when it fails; its changes are thrown away then, and those of earlier steps
 * are not touched.
 */
export function runStep(
  deps: RunDeps,
  vertex: RunVertex,
  inputs: readonly Result[],
  base: Tree,
  io: { readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void; readonly signal: AbortSignal },
): Promise<MadeTree> {
  const make = () =>
    makeLayer(
      deps,
      base,
      async (key) => {
        await runIn(deps, vertex, inputs, key, io);
      },
      io.signal,
    );
  return deps.steps.run(make, { signal: io.signal });
}

async function runIn(
  deps: RunDeps,
  vertex: RunVertex,
  inputs: readonly Result[],
  key: string,
  io: { readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void; readonly signal: AbortSignal },
): Promise<void> {
  const id = randomBytes(32).toString('hex');
  const directory = join(deps.execRoot, 'builds', id);
  await using undo = new AsyncDisposableStack();
  mkdirSync(join(directory, 'rootfs'), { recursive: true, mode: 0o711 });
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const rootfs = join(directory, 'rootfs');
  // The snapshotter sees to it that a committed layer reaches the disk; nothing of a failed one need.
  mountSnapshot(deps.snapshots.mounts(key, { volatile: true }), rootfs);
  undo.defer(() => unmountAside(rootfs));
  checkRunnable(vertex.platform, { rootfs });
  const { settings } = deps;
  const mounts = vertex.mounts.map((mount, index) => ({ mount, source: inputs[index + 1] }));
  const prepared = await prepareMounts(
    { snapshots: deps.snapshots, secrets: settings.secrets, directory, undo },
    mounts,
  );
  const start = (volumes: readonly StepVolume[]) =>
    deps.runner.run({
      ...{ id, rootfs, args: vertex.args, cwd: vertex.cwd, user: vertex.user, hostname: vertex.hostname || HOSTNAME },
      env: [...vertex.env, ...vertex.hiddenEnv, ...prepared.env],
      volumes: [...prepared.volumes, ...volumes],
      privileged: vertex.insecure,
      network: vertex.network === 'default' ? settings.network : vertex.network,
      ...{ extraHosts: settings.extraHosts, limits: settings.limits, output: io.output, signal: io.signal },
    });
  using _points = mountPoints(rootfs, vertex.mounts);
  const { exitCode } = await withCaches(deps, mounts, [], io.signal, start).catch((error: unknown) => {
    throw io.signal.aborted ? error : notStarted(vertex.args, error);
  });
  io.signal.throwIfAborted();
  if (exitCode !== 0) throw new StepError(vertex.args, exitCode);
}

/** A command that could not even be begun, in BuildKit's words. */
function notStarted(args: readonly string[], error: unknown): WharfError {
  const kind = error instanceof WharfError ? error.kind : 'internal';
  const message = `process "${args.join(' ')}" did not complete successfully: ${messageOf(error)}`;
  return new WharfError(kind, message, { cause: error });
}

/** Takes the cache mounts one inside the other, since a locked one is held for the time of the step. */
function withCaches<T>(
  deps: RunDeps,
  mounts: readonly { readonly mount: StepMount; readonly source: Result | undefined }[],
  taken: readonly StepVolume[],
  signal: AbortSignal,
  work: (volumes: readonly StepVolume[]) => Promise<T>,
): Promise<T> {
  // In one order for all, or two steps could each wait for the other's.
  const caches = mounts
    .filter(({ mount }) => mount.type === 'cache')
    .toSorted((left, right) => (cacheName(left.mount) < cacheName(right.mount) ? -1 : 1));
  const [next, ...rest] = caches;
  if (next === undefined) return work(taken);
  const { mount, source } = next;
  return deps.caches.use(mount, { fill: (path) => fill(deps, source, mount.source, path), signal }, (path) => {
    const volume: StepVolume = { kind: 'bind', source: path, target: mount.target, readOnly: mount.readOnly };
    return withCaches(deps, rest, [...taken, volume], signal, work);
  });
}

function cacheName({ id, target }: StepMount): string {
  return id === '' ? target : id;
}

/** A new cache begins with what `from` has. */
async function fill(deps: RunDeps, source: Result | undefined, inside: string, path: string): Promise<void> {
  if (source?.kind !== 'tree' || source.tree.chainId === '') return;
  const at = join(deps.execRoot, 'builds', `fill-${randomBytes(8).toString('hex')}`);
  mkdirSync(at, { recursive: true });
  try {
    mountSnapshot(deps.snapshots.mounts(source.tree.chainId, { readOnly: true }), at);
    const from = at + toText(resolveInTree(at, toBytes(inside)));
    await cp(from, path, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  } finally {
    await unmountAside(at);
    rmSync(at, { recursive: true, force: true });
  }
}
