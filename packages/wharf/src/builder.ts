import { type Builder, createBuilder } from '@wharf/builder/build';
import type { BuildImages } from '@wharf/builder/interfaces';
import { BuildCache } from '@wharf/builder/solver/cache';
import type { Engine } from '@wharf/engine/engine';
import type { BuildBase } from '@wharf/engine/images/built-images';
import { TransferOutput } from '@wharf/engine/images/transfer-output';
import { createStepService } from '@wharf/engine/steps/steps';
import { formatFamiliar, isKind, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';

/** A builder whose steps run in this engine and whose images are the engine's. */
export async function openBuilder(engine: Engine): Promise<Builder> {
  const { store, snapshots, clock, log, config } = engine;
  const runner = createStepService(engine);
  await runner.recover();
  return createBuilder({
    ...{ snapshots, clock, log, dataRoot: config.dataRoot, execRoot: config.execRoot },
    cache: new BuildCache({ store, snapshots, clock }),
    images: buildImages(engine),
    runner,
  });
}

function buildImages({ images }: Pick<Engine, 'images'>): BuildImages {
  return {
    async resolve(name, platform, { pull, progress, signal, credentials }) {
      const reference = withDefaultTag(parseReference(name));
      const here = pull ? undefined : await images.findBase(name, platform);
      if (here !== undefined) return baseOf(name, here);
      const output = new TransferOutput(async (document) => progress(document), { withBar: false });
      await images.pull({ reference, platform, output, signal, credentials: await credentials?.(reference.domain) });
      const pulled = await images.findBase(name, platform);
      if (pulled === undefined) {
        throw new WharfError(
          'not-found',
          `${formatFamiliar(reference)}: no image for platform ${formatPlatform(platform)}`,
        );
      }
      return baseOf(name, pulled);
    },
    async has(name) {
      try {
        await images.resolve(name);
        return true;
      } catch (error) {
        if (isKind(error, 'not-found') || isKind(error, 'invalid-argument')) return false;
        throw error;
      }
    },
    sharedSnapshots: () => images.snapshotsInUse(),
    collect: () => images.collect(),
    lease: () => images.lease(),
    noteLayer: ({ descriptor, chainId }) =>
      images.noteLayer(descriptor.digest, { chainId, sizeBytes: descriptor.size }),
    create: (image) => images.storeBuilt(image),
  };
}

function baseOf(reference: string, { image, layers }: BuildBase) {
  const { config, platform, chainId, diffIds } = image;
  return { reference, config, platform, chainId, diffIds, layers };
}
