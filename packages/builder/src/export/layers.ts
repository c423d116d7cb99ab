import type { DiffId } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  isLayerType,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
} from '@wharf/oci/spec/media-types';
import type { LayerForm } from '../interfaces.ts';
import type { ExportTools } from '../result.ts';
import type { Tree, TreeLayer } from '../solver/tree.ts';
import type { ImageFormat } from './image-format.ts';

/** One layer of an image as its documents name it. */
export interface ExportedLayer {
  readonly diffId: DiffId;
  readonly descriptor: Descriptor;
}

const MEDIA_TYPES = {
  oci: { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD },
  docker: { none: DOCKER_LAYER, gzip: DOCKER_LAYER_GZIP, zstd: DOCKER_LAYER_ZSTD },
} as const;

/**
 * A tree's layers for an image. Where neither a compression nor other times are wanted nothing is packed: such a layer's blob is made
 * when somebody reads it.
 * @param epoch SOURCE_DATE_EPOCH, seconds since 1970
 */
export function exportLayers(
  tree: Tree,
  { images, lease, signal }: Pick<ExportTools, 'images' | 'lease' | 'signal'>,
  format: ImageFormat,
  epoch: number | undefined,
): Promise<readonly ExportedLayer[]> {
  const latestNs = format.rewriteTimestamp && epoch !== undefined ? BigInt(epoch) * 1_000_000_000n : undefined;
  const one = async (layer: TreeLayer): Promise<ExportedLayer> => {
    lease.keep(layer.descriptor.digest);
    // Layers of the image that was built on keep their times: they are what others have, too.
    const isOwn = layer.createdAt !== undefined;
    const form: LayerForm = {
      // A rewritten layer is no snapshot any more that could be packed later.
      compression: format.compression ?? (latestNs === undefined ? 'none' : 'gzip'),
      level: format.level,
      ...(isOwn ? { latestNs } : {}),
    };
    const isWanted = format.compression !== undefined || form.latestNs !== undefined;
    if (!isWanted) return { ...layer, descriptor: inTypes(layer.descriptor, format) };
    const packed = await images.packLayer(
      { descriptor: layer.descriptor, form, force: format.force },
      { lease, signal },
    );
    const mediaType = MEDIA_TYPES[format.isOci ? 'oci' : 'docker'][packed.compression];
    const { diffId = layer.diffId, digest, sizeBytes } = packed;
    const isPlain = isLayerType(layer.descriptor.mediaType);
    return {
      diffId,
      descriptor: isPlain ? { mediaType, digest, size: sizeBytes } : { ...layer.descriptor, digest, size: sizeBytes },
    };
  };
  return Promise.all(tree.layers.map(one));
}

/** The same blob under OCI's or Docker's name for what it is. */
function inTypes(descriptor: Descriptor, { isOci }: ImageFormat): Descriptor {
  const [from, to] = isOci ? [MEDIA_TYPES.docker, MEDIA_TYPES.oci] : [MEDIA_TYPES.oci, MEDIA_TYPES.docker];
  const kind = (['none', 'gzip', 'zstd'] as const).find((each) => from[each] === descriptor.mediaType);
  return kind === undefined ? descriptor : { ...descriptor, mediaType: to[kind] };
}
