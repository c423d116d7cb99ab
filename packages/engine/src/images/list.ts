import { type ChainId, type Digest, type Filters, parseRfc3339, Semaphore } from '@wharf/kit';
import type { ImageSummary } from '@wharf/wire/docker/types';
import { SUMMARY_CONCURRENCY } from './limits.ts';
import { imageFilter } from './list-filters.ts';
import { familiarOf, type ImageName, isDangling, repoDigestsOf } from './names.ts';
import type { ImageRoom } from './room.ts';
import { type ImageSums, sumUp } from './summary.ts';

const FILTERS = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'];

export interface ListOptions {
  readonly all: boolean;
  readonly filters: Filters;
  readonly sharedSize: boolean;
  readonly manifests: boolean;
}

/** `docker images`: one row per image id, newest first, in the shape of the newest API version. */
export async function listImages(room: ImageRoom, options: ListOptions): Promise<ImageSummary[]> {
  const accepts = await imageFilter(room, options.filters, FILTERS);
  const names = room.names.list();
  const parents = new Set(
    options.all ? [] : names.map((image) => image.parent).filter((parent) => parent !== undefined),
  );
  const groups = new Map<Digest, ImageName[]>();
  for (const image of names) {
    const id = image.target.digest;
    if (isDangling(image) && parents.has(id)) continue;
    if (!(await accepts(image))) continue;
    groups.set(id, [...(groups.get(id) ?? []), image]);
  }
  const gate = new Semaphore(SUMMARY_CONCURRENCY);
  const rows = await Promise.all(
    [...groups.values()].map((group) =>
      gate.run(async () => {
        const image = group.find((each) => !isDangling(each)) ?? group[0];
        return image === undefined ? undefined : { group, sums: await sumUp(room, image) };
      }),
    ),
  );
  const found = rows.filter((row) => row !== undefined);
  const shared = options.sharedSize
    ? await sharedSizes(
        room,
        found.map((row) => row.sums),
      )
    : undefined;
  return found
    .map(({ group, sums }) => summaryOf(group, sums, shared?.get(sums) ?? -1, options.manifests))
    .sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

function summaryOf(group: readonly ImageName[], sums: ImageSums, sharedSize: number, manifests: boolean): ImageSummary {
  const { image, best } = sums;
  const tags = group.filter((each) => !isDangling(each)).map(familiarOf);
  const created = best?.config?.created === undefined ? undefined : parseRfc3339(best.config.created);
  return {
    Containers: best === undefined ? -1 : sums.containers,
    Created: created === undefined ? 0 : Number(created / 1_000_000_000n),
    Id: image.target.digest,
    Labels: best === undefined ? null : (best.config?.config?.Labels ?? null),
    ParentId: image.parent ?? '',
    Descriptor: image.target,
    ...(manifests ? { Manifests: sums.manifests.map((each) => each.shown) } : {}),
    RepoDigests: best === undefined ? [image.target.digest] : [...repoDigestsOf(group)],
    RepoTags: tags,
    SharedSize: sharedSize,
    Size: sums.totalBytes,
  };
}

async function sharedSizes(room: ImageRoom, all: readonly ImageSums[]): Promise<Map<ImageSums, number>> {
  const layers = new Map<ChainId, number>();
  const blobs = new Map<Digest, number>();
  const chainsOf = (sums: ImageSums) => new Set(sums.manifests.flatMap((each) => each.chainIds));
  for (const sums of all) {
    for (const chainId of chainsOf(sums)) layers.set(chainId, (layers.get(chainId) ?? 0) + 1);
    for (const { digest } of sums.content) blobs.set(digest, (blobs.get(digest) ?? 0) + 1);
  }
  const result = new Map<ImageSums, number>();
  for (const sums of all) {
    let bytes = 0;
    for (const chainId of chainsOf(sums)) if ((layers.get(chainId) ?? 0) > 1) bytes += await room.layerSize(chainId);
    for (const { digest, size } of sums.content) if ((blobs.get(digest) ?? 0) > 1) bytes += size;
    result.set(sums, bytes);
  }
  return result;
}
