import { posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import type { ApplyOutcome, ApplyParams } from '@wharf/oci/layers/apply-job';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { layerPool } from '@wharf/oci/workers/pool';
import type { DigestParams } from '../files/digest-job.ts';
import type { CopyOrder, FileJobParams, FoundArchive } from '../files/file-job.ts';
import type { FileVertex } from '../plan/vertex.ts';
import { cacheKey } from '../solver/cache.ts';
import type { MadeTree } from '../solver/operations.ts';
import type { Result, Tree } from '../solver/tree.ts';
import { type LayerDeps, makeLayer } from './new-layer.ts';
import { placeOf } from './place.ts';

const fileModule = import.meta.resolve('../files/file-job.ts');
const digestModule = import.meta.resolve('../files/digest-job.ts');

/** What each copy of a COPY or ADD selects, as digests. */
export async function selectionDigests(
  snapshots: Snapshotter,
  vertex: FileVertex,
  inputs: readonly Result[],
  { known, signal }: { readonly known: readonly (string | undefined)[]; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  return Promise.all(
    vertex.actions.map(async (action, index) => {
      if (action.kind !== 'copy') return '';
      const { source: _source, ...selector } = action;
      return known[index] ?? digestOf(snapshots, inputs[index + 1], selector, signal);
    }),
  );
}

/** The digest of what a selector takes from one result. */
export async function digestOf(
  snapshots: Snapshotter,
  result: Result | undefined,
  selector: DigestParams['selectors'][number],
  signal: AbortSignal,
): Promise<string> {
  if (result?.kind === 'directory' && result.identity !== undefined) return cacheKey([result.identity, selector]);
  const [digest = ''] = await layerPool.run<DigestParams, readonly string[]>({
    module: digestModule,
    job: 'digestJob',
    params: { source: placeOf(snapshots, result), selectors: [selector] },
    signal,
  });
  return digest;
}

/** Carries out a COPY, ADD or WORKDIR on top of its base. */
export function makeFileLayer(
  deps: LayerDeps & { readonly dataRoot: string },
  vertex: FileVertex,
  inputs: readonly Result[],
  base: Tree,
  signal: AbortSignal,
): Promise<MadeTree> {
  const { snapshots } = deps;
  return makeLayer(
    deps,
    base,
    async (key) => {
      const sources = inputs.slice(1);
      const actions = vertex.actions.map((action, index) => {
        if (action.kind === 'mkdir') return action;
        const { source: _source, ...rest } = action;
        return { ...rest, source: index } satisfies CopyOrder;
      });
      const archives = await layerPool.run<FileJobParams, readonly FoundArchive[]>({
        module: fileModule,
        job: 'fileJob',
        params: {
          target: {
            directory: snapshots.layerDir(key),
            // Where every snapshot is a whole tree, the layer itself holds what is below.
            lower: base.chainId === '' || snapshots.name === 'copy' ? [] : snapshots.mounts(base.chainId),
            shared: deps.dataRoot,
          },
          sources: sources.map((each) => placeOf(snapshots, each)),
          actions,
        },
        signal,
      });
      for (const archive of archives) await unpack(snapshots, key, sources[archive.source], archive, signal);
    },
    signal,
  );
}

/** Unpacks an archive of the build context in a thread that sees nothing but the target. */
async function unpack(
  snapshots: Snapshotter,
  key: string,
  source: Result | undefined,
  { path, destination, owner }: FoundArchive,
  signal: AbortSignal,
): Promise<void> {
  if (source?.kind !== 'directory') {
    throw new WharfError('internal', `Cannot unpack "${path}": archives are unpacked from contexts and downloads only`);
  }
  await layerPool.run<ApplyParams, ApplyOutcome>({
    module: import.meta.resolve('@wharf/oci/layers/apply-job'),
    job: 'applyJob',
    params: {
      path: posix.join(source.path, path),
      target: '/sys',
      mounts: snapshots.mounts(key),
      options: {
        base: destination === '/' ? '' : destination,
        whiteouts: 'none',
        parents: 'make',
        keepRoot: true,
        ...(owner === undefined ? {} : { owner }),
      },
    },
    signal,
  });
}
