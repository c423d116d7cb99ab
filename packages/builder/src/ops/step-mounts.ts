import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import { mountOverlay, unmountAside } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { StepVolume } from '@wharf/oci/steps/step';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { resolveInTree } from '../files/resolve-path.ts';
import type { StepMount } from '../plan/vertex.ts';
import type { Result } from '../solver/tree.ts';
import { BUILD_SNAPSHOT } from './new-layer.ts';

/** What a client lends a build for its steps; none of it belongs to a step's key. */
export interface StepSecrets {
  /** The value of a secret; `undefined` when the client has none of that name. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** A socket that leads to the client's ssh agent; `undefined` without one. */
  sshAgent(id: string): Promise<string | undefined>;
}

/** What mounts come to for the step. */
export interface PreparedMounts {
  readonly volumes: readonly StepVolume[];
  readonly env: readonly string[];
}

interface MountDeps {
  readonly snapshots: Snapshotter;
  readonly secrets: StepSecrets;
  /** A directory of this step's own, below the exec root. */
  readonly directory: string;
  readonly undo: AsyncDisposableStack;
}

/** Makes every mount of a step but its caches ready; whatever it puts up is taken down by `undo`. */
export async function prepareMounts(
  deps: MountDeps,
  mounts: readonly { readonly mount: StepMount; readonly source: Result | undefined }[],
): Promise<PreparedMounts> {
  const volumes: StepVolume[] = [];
  const env: string[] = [];
  for (const { mount, source } of mounts) {
    switch (mount.type) {
      case 'bind':
        volumes.push(await bindVolume(deps, mount, source));
        break;
      case 'tmpfs':
        volumes.push({ kind: 'tmpfs', target: mount.target, sizeBytes: mount.sizeBytes });
        break;
      case 'secret': {
        const secret = await secretVolume(deps, mount);
        volumes.push(...secret.volumes);
        env.push(...secret.env);
        break;
      }
      case 'ssh': {
        const agent = await agentVolume(deps, mount);
        volumes.push(...agent.volumes);
        env.push(...agent.env);
        break;
      }
      case 'cache':
        break;
    }
  }
  return { volumes, env };
}

async function bindVolume(deps: MountDeps, mount: StepMount, source: Result | undefined): Promise<StepVolume> {
  const root = await showTree(deps, source, !mount.readOnly);
  const inside = resolveInTree(root, toBytes(mount.source));
  const path = root + toText(inside === '/' ? '' : inside);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new WharfError('not-found', `failed to calculate checksum of ref: "${mount.source}": not found`);
  }
  return { kind: 'bind', source: path, target: mount.target, readOnly: mount.readOnly };
}

/** Where a result can be seen; writes to it are thrown away with the step. */
async function showTree(deps: MountDeps, result: Result | undefined, writable: boolean): Promise<string> {
  const { snapshots, undo } = deps;
  if (result?.kind === 'directory' && !writable) return result.path;
  const at = join(deps.directory, `tree-${randomBytes(8).toString('hex')}`);
  mkdirSync(at, { recursive: true });
  if (result?.kind === 'directory') {
    const [upperDir, workDir] = [`${at}-upper`, `${at}-work`];
    mkdirSync(upperDir);
    mkdirSync(workDir);
    undo.defer(() => rmSync(upperDir, { recursive: true, force: true }));
    undo.defer(() => rmSync(workDir, { recursive: true, force: true }));
    mountOverlay({ lowerDirs: [result.path], upperDir, workDir, target: at });
    undo.defer(() => unmountAside(at));
    return at;
  }
  const chainId = result?.tree.chainId ?? '';
  if (chainId === '' && !writable) return at;
  if (!writable) {
    mountSnapshot(snapshots.mounts(chainId, { readOnly: true }), at);
  } else {
    const key = `${BUILD_SNAPSHOT}${randomBytes(16).toString('hex')}`;
    await snapshots.prepare(key, chainId);
    undo.defer(() => snapshots.remove(key));
    mountSnapshot(snapshots.mounts(key, { volatile: true }), at);
  }
  undo.defer(() => unmountAside(at));
  return at;
}

async function secretVolume(deps: MountDeps, mount: StepMount): Promise<PreparedMounts> {
  const id = mount.id || mount.source || posix.basename(mount.target);
  const value = await deps.secrets.secret(id);
  if (value === undefined) {
    if (mount.required) throw new WharfError('not-found', `secret ${id}: not found`);
    return { volumes: [], env: [] };
  }
  const env = mount.env === undefined ? [] : [`${mount.env || id}=${Buffer.from(value).toString('utf8')}`];
  if (mount.env !== undefined && mount.target === '') return { volumes: [], env };
  const path = join(deps.directory, `secret-${randomBytes(8).toString('hex')}`);
  writeFileSync(path, value, { mode: mount.mode ?? 0o400 });
  chownSync(path, mount.uid ?? 0, mount.gid ?? 0);
  deps.undo.defer(() => rmSync(path, { force: true }));
  return { volumes: [{ kind: 'bind', source: path, target: mount.target, readOnly: true }], env };
}

async function agentVolume(deps: MountDeps, mount: StepMount): Promise<PreparedMounts> {
  const id = mount.id || 'default';
  const { target } = mount;
  const env = [`SSH_AUTH_SOCK=${target}`];
  const socket = await deps.secrets.sshAgent(id);
  if (socket === undefined) {
    if (mount.required) throw new WharfError('not-found', `unset ssh forward key ${id}`);
    return { volumes: [], env };
  }
  return { volumes: [{ kind: 'bind', source: socket, target, readOnly: false }], env };
}
