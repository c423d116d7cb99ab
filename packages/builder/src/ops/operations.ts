import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContextDirectory } from '../build.ts';
import type { BuildImages } from '../interfaces.ts';
import type { HttpVertex, ImageVertex, InlineVertex, RunVertex } from '../plan/vertex.ts';
import type { Operations } from '../solver/operations.ts';
import { EMPTY_TREE, type Result, type Tree } from '../solver/tree.ts';
import type { GitRepositories } from '../sources/git/git-repositories.ts';
import { download } from '../sources/http.ts';
import { digestOf, makeFileLayer, selectionDigests } from './file.ts';
import { rebaseLayer } from './rebase-layer.ts';
import { type RunDeps, runStep } from './run.ts';

export interface BuildOperationsDeps extends Omit<RunDeps, 'hold'> {
  /** Of this build alone; removed with it. */
  readonly scratch: string;
  /** Fetches a context of the build and says where it lies. */
  readonly context: (name: string) => Promise<ContextDirectory>;
  readonly lease: ReturnType<BuildImages['lease']>;
  readonly repositories: GitRepositories;
  readonly dataRoot: string;
}

/** What one build does for its solver. */
export function buildOperations(given: BuildOperationsDeps): Operations {
  const deps = { ...given, hold: holder(given.lease) };
  const { snapshots } = deps;
  const contexts = new Map<string, Promise<ContextDirectory>>();
  const context = (name: string): Promise<ContextDirectory> => {
    const fetched = contexts.get(name) ?? deps.context(name);
    contexts.set(name, fetched);
    return fetched;
  };
  let directories = 0;
  const directory = async (): Promise<string> => {
    directories += 1;
    const path = join(deps.scratch, `source-${directories}`);
    await mkdir(path, { recursive: true });
    return path;
  };
  return {
    hold: deps.hold,
    async source(vertex, signal): Promise<Result> {
      switch (vertex.kind) {
        case 'image':
          return { kind: 'tree', tree: treeOf(vertex) };
        case 'context':
          return { kind: 'directory', ...(await context(vertex.context)) };
        case 'inline':
          return { kind: 'directory', path: await writeInline(vertex, await directory()) };
        case 'http':
          return { kind: 'directory', ...(await fetchInto(vertex, await directory(), signal)) };
        case 'git': {
          const { reference, keepGitDir } = vertex;
          const { secrets } = deps.settings;
          const target = await directory();
          const { path, commit } = await deps.repositories.checkout(reference, target, { keepGitDir, secrets, signal });
          // What git keeps for itself differs from one checkout to the next, though the commit is the same.
          const identity = keepGitDir ? { identity: JSON.stringify([reference, commit]) } : {};
          return { kind: 'directory', path, pin: commit, ...identity };
        }
      }
    },
    selectionDigests: (vertex, inputs, known, signal) => selectionDigests(snapshots, vertex, inputs, { known, signal }),
    mountDigests: (vertex, inputs, signal) => mountDigests(deps, vertex, inputs, signal),
    run: (vertex, inputs, io) => runStep(deps, vertex, inputs, baseOf(inputs), io),
    rebase: snapshots.name === 'overlayfs' ? (layer, base) => rebaseLayer(deps, layer, base) : undefined,
    file: (vertex, inputs, signal) => makeFileLayer(deps, vertex, inputs, baseOf(inputs), signal),
  };
}

function holder(lease: BuildOperationsDeps['lease']): (tree: Tree) => void {
  return ({ chainId }) => {
    if (chainId !== '') lease.keepSnapshot(chainId);
  };
}

function baseOf(inputs: readonly Result[]): Tree {
  const [base] = inputs;
  return base?.kind === 'tree' ? base.tree : EMPTY_TREE;
}

function treeOf({ image }: ImageVertex): Tree {
  const layers = image.diffIds.flatMap((diffId, index) => {
    const descriptor = image.layers[index];
    return descriptor === undefined ? [] : [{ diffId, descriptor }];
  });
  return { chainId: image.chainId, layers };
}

async function writeInline({ files }: InlineVertex, path: string): Promise<string> {
  for (const { name, data, mode } of files) await writeFile(join(path, name), data, { mode });
  return path;
}

async function fetchInto(vertex: HttpVertex, path: string, signal: AbortSignal) {
  return { path, pin: await download(vertex, path, signal) };
}

/** A bind shows what it shows by content; what is in secrets, agents and caches does not count. */
async function mountDigests(
  deps: Pick<BuildOperationsDeps, 'snapshots'>,
  vertex: RunVertex,
  inputs: readonly Result[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  return Promise.all(
    vertex.mounts.map(async (mount, index) => {
      const result = inputs[index + 1];
      if (mount.type !== 'bind' || result === undefined) return '';
      if (result.kind === 'tree') return result.tree.chainId;
      const selector = { path: mount.source === '' ? '/' : mount.source, include: [], exclude: [], required: [] };
      return digestOf(deps.snapshots, result, { ...selector, wildcards: false, followLinks: true }, signal);
    }),
  );
}
