import { WharfError } from '@wharf/kit';
import { imageExporter } from '../export/image.ts';
import { type ArchiveSink, archiveExporter } from '../export/image-archive.ts';
import type { Exporter } from '../result.ts';
import { filesExporter, sendFile } from './export.ts';
import type { ExporterMessage } from './messages.ts';
import { sendBlob } from './session-content.ts';
import { sessionCredentials } from './session-credentials.ts';
import type { Session } from './sessions.ts';

/** The name that clients give the content store they want an OCI layout in. */
const EXPORT_STORE = 'export';

/**
 * Reads the exporters of a request (BuildKit, `Control.Solve`). `moby` is what the docker driver calls `image`. Throws
 * `invalid-argument` for attributes that make no sense, `not-implemented` for other exporters.
 */
export function planExports(
  session: Session,
  exporters: readonly ExporterMessage[],
  signal: AbortSignal,
): readonly Exporter[] {
  return exporters.map(({ Type, Attrs }, id) => {
    switch (Type) {
      case 'moby':
      case 'image':
        return imageExporter(Attrs, sessionCredentials(session));
      case 'oci':
      case 'docker':
        return archiveExporter(Type, Attrs, sinkOf(session, id, signal));
      case 'local':
      case 'tar':
        return filesExporter(session, id, Type, Attrs);
      default:
        throw new WharfError('not-implemented', `exporter "${Type}" could not be found`, {
          hint: 'Use image, registry, oci, docker, local or tar',
        });
    }
  });
}

function sinkOf(session: Session, id: number, signal: AbortSignal): ArchiveSink {
  return {
    file: (bytes, response) => sendFile(session, bytes, { id, signal, response }),
    async blobs(descriptors, content) {
      for (const each of descriptors) await sendBlob(session, EXPORT_STORE, each, { content, signal });
    },
  };
}
