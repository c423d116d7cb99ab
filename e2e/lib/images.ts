import assert from 'node:assert/strict';
import { busyboxFiles, dockerArchive, type ImageRunConfig, type LayerFile } from '../../scripts/lib/busybox-image.ts';
import { docker } from './docker.ts';

/** The image most tests run. */
export const BUSYBOX = 'busybox:e2e';

/** Loads the machine's busybox as an image, with further layers and settings when given. */
export async function loadBusybox(
  host: string,
  options: {
    readonly reference?: string;
    readonly layers?: readonly (readonly LayerFile[])[];
    readonly config?: ImageRunConfig;
  } = {},
): Promise<void> {
  const recipe = {
    reference: options.reference ?? BUSYBOX,
    layers: [await busyboxFiles(), ...(options.layers ?? [])],
    ...(options.config === undefined ? {} : { config: options.config }),
  };
  const loaded = await docker(host, ['load'], { input: dockerArchive(recipe) });
  assert.equal(loaded.code, 0, loaded.output);
}
