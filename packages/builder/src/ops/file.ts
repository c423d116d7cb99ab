import { posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import type { ApplyOutcome, ApplyParams } from '@wharf/oci/layers/apply-job';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { layerPool } from '@wharf/oci/workers/pool';
import type { DigestParams } from '../files/digest-job.ts';
import type {
  CopyOrder,
  FileJobOutcome,
  FileJobParams,
  FindJobParams,
  FoundArchive,
  PlainFile,
} from '../files/file-job.ts';
import type { FileVertex } from '../plan/vertex.ts';
import { cacheKey } from '../solver/cache.ts';
import type { MadeTree } from '../solver/operations.ts';
import type { Result, Tree } from '../solver/tree.ts';
import { linkedLayers } from './linked-layers.ts';
import { type LayerDeps, makeLayer } from './new-layer.ts';
import { placeOf } from './place.ts';

const archiveModule = import.meta.resolve('../files/archive-job.ts');
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
      const plain = await plainFiles(snapshots, sources, actions, signal);
      const { archives, hasLinked } = await layerPool.run<FileJobParams, FileJobOutcome>({
        module: fileModule,
        job: 'fileJob',
        params: {
          plain,
          target: {
            directory: snapshots.layerDir(key),
            // Where every snapshot is a whole tree, the layer itself holds what is below.
            lower: base.chainId === '' || snapshots.name === 'copy' ? [] : snapshots.mounts(base.chainId),
            shared: deps.dataRoot,
            linked: linkedLayers(snapshots, base.chainId),
          },
          sources: sources.map((each) => placeOf(snapshots, each)),
          actions,
        },
        signal,
      });
      for (const archive of archives) await unpack(snapshots, key, sources[archive.source], archive, signal);
      return { linked: hasLinked };
    },
    signal,
  );
}

/** The compressed files of an ADD that hold no archive: before anything is written, since the name they get hangs on it. */
async function plainFiles(
  snapshots: Snapshotter,
  sources: readonly Result[],
  actions: FileJobParams['actions'],
  signal: AbortSignal,
): Promise<readonly PlainFile[]> {
  const adds = actions.filter((action): action is CopyOrder => action.kind === 'copy' && action.unpack);
  if (adds.length === 0) return [];
  const found = await layerPool.run<FindJobParams, readonly PlainFile[]>({
    module: fileModule,
    job: 'findJob',
    params: { sources: sources.map((each) => placeOf(snapshots, each)), actions: adds },
    signal,
  });
  const plain: PlainFile[] = [];
  for (const file of found) {
    const source = sources[file.source];
    if (source?.kind !== 'directory') continue;
    const params = { path: posix.join(source.path, file.path) };
    const isArchive = await layerPool.run<typeof params, boolean>({
      ...{ module: archiveModule, job: 'isArchiveJob', params, signal },
    });
    if (!isArchive) plain.push(file);
  }
  return plain;
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
