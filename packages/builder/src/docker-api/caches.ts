import { WharfError } from '@wharf/kit';
import type { ApplyOutcome, ApplyParams } from '@wharf/oci/layers/apply-job';
import { layerPool } from '@wharf/oci/workers/pool';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import type { Builder } from '../build.ts';
import type { CacheArchiveParams } from '../files/cache-job.ts';

const TAR = 'application/x-tar';

/** The directories behind cache mounts, by the names Dockerfiles give them: which there are, and their content as an archive. */
export function cacheRoutes(builder: Pick<Builder, 'caches' | 'usage'>): readonly Route[] {
  return [
    { method: 'GET', pattern: '/wharf/builder/caches', handler: (_, response) => listCaches(builder, response) },
    {
      method: 'GET',
      pattern: '/wharf/builder/caches/archive',
      handler: (request, response) => exportCache(builder, request, response),
    },
    {
      method: 'POST',
      pattern: '/wharf/builder/caches/archive',
      handler: (request, response) => importCache(builder, request, response),
    },
  ];
}

async function listCaches({ caches, usage }: Pick<Builder, 'caches' | 'usage'>, response: ApiResponse): Promise<void> {
  const [kept, entries] = await Promise.all([caches.list(), usage.list()]);
  const sizes = new Map(entries.map(({ id, sizeBytes }) => [id, sizeBytes]));
  const rows = kept.map(({ name, id, inUse, createdAt, lastUsedAt, uses }) => ({
    ...{ ID: id === '' ? name : id, Size: sizes.get(name) ?? 0, InUse: inUse, UsageCount: uses },
    ...{ CreatedAt: new Date(createdAt).toISOString(), LastUsedAt: new Date(lastUsedAt).toISOString() },
  }));
  response.json(
    200,
    rows.toSorted((left, right) => (left.ID < right.ID ? -1 : 1)),
  );
}

async function exportCache(
  { caches }: Pick<Builder, 'caches'>,
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  const { signal } = request;
  await caches.read(idOf(request), signal, async (directory) => {
    const stream = response.stream(200, TAR);
    await layerPool.run<CacheArchiveParams, void>({
      ...{
        module: import.meta.resolve('../files/cache-job.ts'),
        job: 'archiveCacheJob',
        params: { directory },
        signal,
      },
      output: (chunk) => stream.write(chunk),
    });
    stream.end();
  });
}

async function importCache(
  { caches }: Pick<Builder, 'caches'>,
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  const { signal } = request;
  await caches.replace(idOf(request), signal, async (target) => {
    await layerPool.run<ApplyParams, ApplyOutcome>({
      module: import.meta.resolve('@wharf/oci/layers/apply-job'),
      job: 'applyJob',
      params: { target, options: { base: '', whiteouts: 'none', parents: 'make' } },
      input: request.body as AsyncIterable<Uint8Array>,
      signal,
    });
    // What takes the place of a cache must not be lost with the machine.
    await layerPool.run<{ readonly directory: string }, void>({
      module: import.meta.resolve('@wharf/oci/snapshots/tree-jobs'),
      job: 'syncJob',
      params: { directory: target },
      signal,
    });
  });
  response.empty(204);
}

function idOf({ query }: ApiRequest): string {
  const id = query.get('id') ?? '';
  if (id === '') throw new WharfError('invalid-argument', 'Cannot tell which cache is meant: "id" is missing');
  return id;
}
