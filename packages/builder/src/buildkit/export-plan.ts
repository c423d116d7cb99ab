import { WharfError } from '@wharf/kit';
import type { ExporterMessage } from './messages.ts';

/** What is to be made of a build's result. */
export interface ExportPlan {
  /** Names of the image; `undefined` when none is wanted. */
  readonly names: readonly string[] | undefined;
  /** Exporters that hand the files to the client, by their number. */
  readonly files: readonly { readonly id: number; readonly type: 'local' | 'tar' }[];
}

/**
 * Reads the exporters of a request (BuildKit, `Control.Solve`). `push` of the image is not ours: with the docker driver the client
 * pushes afterwards, through the Engine API. Throws `not-implemented` for other exporters and for modes that would lose files.
 */
export function planExports(exporters: readonly ExporterMessage[]): ExportPlan {
  const images = exporters.filter(({ Type }) => Type === 'moby' || Type === 'image');
  const files = exporters.flatMap(({ Type, Attrs }, id) => {
    if (Type === 'moby' || Type === 'image') return [];
    if (Type !== 'local' && Type !== 'tar') {
      throw new WharfError(
        'not-implemented',
        `Cannot export as "${Type}": use "image", "local" or "tar", or "docker save" afterwards`,
      );
    }
    if ((Attrs['mode'] ?? 'copy') !== 'copy') {
      throw new WharfError(
        'not-implemented',
        `Cannot export as "${Type}" with mode "${Attrs['mode']}": only "copy" is there yet`,
      );
    }
    return [{ id, type: Type } as const];
  });
  const names = images.flatMap(({ Attrs }) => (Attrs['name'] ?? '').split(',').filter((name) => name !== ''));
  return { names: images.length === 0 ? undefined : names, files };
}
