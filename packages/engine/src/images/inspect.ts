import { WharfError } from '@wharf/kit';
import type { ImageConfig } from '@wharf/oci/spec/image';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { imagePlatformMissing } from '@wharf/wire/docker/messages';
import type { ImageInspect } from '@wharf/wire/docker/types';
import type { ImagePlatform } from './image-service.ts';
import { familiarOf, isDangling, repoDigestsOf } from './names.ts';
import { findImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';
import { isEmpty } from './runtime-config.ts';
import { sumUp } from './summary.ts';

export interface InspectOptions {
  readonly manifests: boolean;
  readonly platform?: ImagePlatform | undefined;
}

/** `docker image inspect` in the shape of the newest API version, with the fields older ones add. Throws `not-found`. */
export async function inspectImage(room: ImageRoom, text: string, options: InspectOptions): Promise<ImageInspect> {
  const image = findImage(room, text);
  const sums = await sumUp(room, image, options.platform);
  const { best } = sums;
  if (best === undefined && options.platform !== undefined) {
    throw new WharfError('not-found', imagePlatformMissing(text, formatPlatform(options.platform)));
  }
  const tagged = room.names.withTarget(image.target.digest);
  const named = tagged.filter((each) => !isDangling(each));
  const target = options.platform !== undefined && best !== undefined ? best.node.descriptor : image.target;
  const { config } = best ?? {};
  const lastTagTime = tagged
    .map((each) => each.updatedAt)
    .sort()
    .at(-1);
  const history = config?.history ?? [];
  return {
    Id: target.digest,
    RepoTags: unique(named.map(familiarOf)),
    RepoDigests: [...repoDigestsOf(named)],
    Parent: image.parent ?? '',
    Comment: history.at(-1)?.comment ?? '',
    Created: config?.created,
    DockerVersion: config?.docker_version ?? '',
    Author: config?.author ?? '',
    Config: shownConfig(config),
    Architecture: config?.architecture ?? '',
    ...(config?.variant ? { Variant: config.variant } : {}),
    Os: config?.os ?? '',
    ...(config?.['os.version'] ? { OsVersion: config['os.version'] } : {}),
    Size: best?.shown.Size.Total ?? sums.totalBytes,
    GraphDriver: { Data: null, Name: room.snapshots.name },
    RootFS: {
      Type: config?.rootfs.type ?? '',
      ...(config !== undefined && config.rootfs.diff_ids.length > 0 ? { Layers: config.rootfs.diff_ids } : {}),
    },
    Metadata: { LastTagTime: lastTagTime ?? '0001-01-01T00:00:00Z' },
    Descriptor: target,
    ...(options.manifests ? { Manifests: sums.manifests.map((each) => each.shown) } : {}),
  };
}

/** The runtime config as the image-spec writes it: what is empty is left out. */
function shownConfig(config: ImageConfig | undefined): NonNullable<ImageInspect['Config']> {
  const entries = Object.entries(config?.config ?? {}).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(entries);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
