import { createHash } from 'node:crypto';
import { formatCanonical, parseReference, withDefaultTag } from '@wharf/kit';
import { onlyPlatform } from '../finish.ts';
import type { Exporter } from '../result.ts';

export interface ImageOptions {
  /** Names the image is given; it is dangling without any. */
  readonly names: readonly string[];
}

/** Stores an image on this host. */
export function imageExporter({ names }: ImageOptions): Exporter {
  return (result, { images, step }) =>
    step('exporting to image', async () => {
      const { tree, config } = onlyPlatform(result, 'image');
      const layers = tree.layers.map(({ descriptor }) => descriptor);
      const digest = await images.create({ config, layers, names });
      const document = JSON.stringify(config);
      const canonical = names.map((name) => formatCanonical(withDefaultTag(parseReference(name))));
      return {
        'containerimage.digest': digest,
        'containerimage.config.digest': `sha256:${createHash('sha256').update(document).digest('hex')}`,
        ...(canonical.length > 0 ? { 'image.name': canonical.join(',') } : {}),
      };
    });
}
