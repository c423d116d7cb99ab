import { WharfError } from '@wharf/kit';
import { imageExporter } from '../export/image.ts';
import type { Exporter } from '../result.ts';
import { filesExporter } from './export.ts';
import type { ExporterMessage } from './messages.ts';
import type { Session } from './sessions.ts';

/**
 * Reads the exporters of a request (BuildKit, `Control.Solve`). `push` of the image is not ours: with the docker driver the client
 * pushes afterwards, through the Engine API. Throws `not-implemented` for other exporters and for modes that would lose files.
 */
export function planExports(session: Session, exporters: readonly ExporterMessage[]): readonly Exporter[] {
  return exporters.map(({ Type, Attrs }, id) => {
    if (Type === 'moby' || Type === 'image') {
      return imageExporter(Attrs);
    }
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
    return filesExporter(session, id, Type);
  });
}
