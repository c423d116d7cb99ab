import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { unmountAside } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { StepConsole, StepRunner, StepVolume } from '@wharf/oci/steps/step';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { checkRunnable } from '../emulation.ts';
import { resolveInTree } from '../files/resolve-path.ts';
import type { RunVertex, StepMount } from '../plan/vertex.ts';
import type { Result } from '../solver/tree.ts';
import type { CacheDirectories } from './cache-directories.ts';
import { mountPoints } from './mount-points.ts';
import type { StepSettings } from './run.ts';
import { prepareMounts } from './step-mounts.ts';

const HOSTNAME = 'buildkitsandbox';

export interface StepDeps {
  readonly snapshots: Snapshotter;
  readonly runner: StepRunner;
  readonly caches: CacheDirectories;
  readonly execRoot: string;
  readonly settings: StepSettings;
}

/** Where a command's output goes, and what ends it. */
export interface StepIo {
  readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly signal: AbortSignal;
  readonly console?: StepConsole;
}

/** What is run in a step's tree. */
export type StepCommand = Pick<RunVertex, 'args' | 'env' | 'cwd' | 'user'>;

/** The tree of a step with its mounts, put up; disposing of it takes them down. */
export interface OpenStep extends AsyncDisposable {
  /** Runs a command to its end, one at a time. */
  run(command: StepCommand, io: StepIo): Promise<{ readonly exitCode: number }>;
}

/** Mounts an active snapshot and what a step has mounted in it. */
export async function openStep(
  deps: StepDeps,
  vertex: RunVertex,
  inputs: readonly Result[],
  key: string,
): Promise<OpenStep> {
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
  const opened = undo.move();
  return {
    async run({ args, env, cwd, user }, { output, signal, console }) {
      const lent = [...vertex.hiddenEnv, ...prepared.env];
      const start = (volumes: readonly StepVolume[]) =>
        deps.runner.run({
          ...{ id, rootfs, args, cwd, user, hostname: vertex.hostname || HOSTNAME },
          env: [...env, ...lent],
          volumes: [...prepared.volumes, ...volumes],
          privileged: vertex.insecure,
          network: vertex.network === 'default' ? settings.network : vertex.network,
          ...{ extraHosts: settings.extraHosts, limits: settings.limits, output, signal },
          console: console === undefined ? undefined : lending(console, lent),
        });
      using _points = mountPoints(rootfs, vertex.mounts);
      return await withCaches(deps, mounts, [], signal, start);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A console whose further commands have the variables of secrets and agents, too. */
function lending(console: StepConsole, lent: readonly string[]): StepConsole {
  return {
    tty: console.tty,
    started: (process) =>
      console.started({
        ...process,
        exec: (command) => process.exec({ ...command, env: [...command.env, ...lent] }),
      }),
  };
}

/** Takes the cache mounts one inside the other, since a locked one is held for the time of the step. */
function withCaches<T>(
  deps: StepDeps,
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
async function fill(deps: StepDeps, source: Result | undefined, inside: string, path: string): Promise<void> {
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
