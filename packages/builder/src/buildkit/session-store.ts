import { createHash } from 'node:crypto';
import { type Digest, WharfError } from '@wharf/kit';
import { OCI_INDEX, OCI_MANIFEST } from '@wharf/oci/spec/media-types';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';
import type { RemoteContent } from '../interfaces.ts';
import { MAX_REMOTE_DOCUMENT_BYTES } from '../limits.ts';
import type { Session } from './sessions.ts';

const READ = '/containerd.services.content.v1.Content/Read';
const ReadRequest = message('ReadContentRequest', {
  1: ['digest', 'string'],
  2: ['offset', 'int'],
  3: ['size', 'int'],
});
const ReadResponse = message('ReadContentResponse', { 1: ['offset', 'int'], 2: ['data', 'bytes'] });

/**
 * A content store that a session's client lends (containerd's content service): an OCI layout of a directory there.
 * @param store the name the client knows it by
 * @param root the document that the store was named for
 */
export function sessionStore(session: Session, store: string, root: Digest, signal: AbortSignal): RemoteContent {
  async function* blob(digest: Digest, until: AbortSignal): AsyncGenerator<Uint8Array> {
    const call = session.client.open(READ, { 'buildkit-attachable-store-id': store }, until);
    await call.send(encode(ReadRequest, { digest }));
    call.end();
    for await (const bytes of call.messages) yield decode<{ readonly data: Uint8Array }>(ReadResponse, bytes).data;
  }
  return {
    blob: ({ digest }, until) => blob(digest, until),
    async document(digest = root) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of blob(digest, signal)) {
        size += chunk.length;
        if (size > MAX_REMOTE_DOCUMENT_BYTES) {
          throw new WharfError(
            'resource-exhausted',
            `Cannot read ${digest}: it is larger than ${MAX_REMOTE_DOCUMENT_BYTES} bytes`,
          );
        }
        chunks.push(chunk);
      }
      const bytes = Buffer.concat(chunks);
      const [algorithm = ''] = digest.split(':');
      if (`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` !== digest) {
        throw new WharfError('data-loss', `Cannot use ${digest}: the client sent something else`);
      }
      return { bytes, descriptor: { mediaType: mediaTypeOf(bytes), digest, size } };
    },
  };
}

function mediaTypeOf(bytes: Buffer): string {
  const document = JSON.parse(bytes.toString('utf8')) as { readonly mediaType?: string; readonly manifests?: unknown };
  if (document.mediaType !== undefined) return document.mediaType;
  return document.manifests === undefined ? OCI_MANIFEST : OCI_INDEX;
}
