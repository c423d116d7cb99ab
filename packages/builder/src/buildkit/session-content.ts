import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Descriptor } from '@wharf/oci/spec/image';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import type { Session } from './sessions.ts';

const WRITE = '/containerd.services.content.v1.Content/Write';
const ACTION = { STAT: 0, WRITE: 1, COMMIT: 2 } as const;
const PIECE_BYTES = 1024 * 1024;

const WriteRequest = message('WriteContentRequest', {
  ...{ 1: ['action', 'int'], 2: ['ref', 'string'], 3: ['total', 'int'], 4: ['expected', 'string'] },
  ...{ 5: ['offset', 'int'], 6: ['data', 'bytes'] },
});
const WriteResponse = message('WriteContentResponse', { 1: ['action', 'int'], 4: ['offset', 'int'] });

/**
 * Sends a blob into a content store that a session's client lends (containerd's content service).
 * @param store the name the client knows it by
 */
export async function sendBlob(
  session: Session,
  store: string,
  { digest, size }: Descriptor,
  { content, signal }: { readonly content: ContentStore; readonly signal: AbortSignal },
): Promise<void> {
  const call = session.client.open(WRITE, { 'buildkit-attachable-store-id': store }, signal);
  const answers = call.messages[Symbol.asyncIterator]();
  const base = { ref: `wharf-${digest}`, total: size, expected: digest };
  const ask = async (request: object): Promise<number> => {
    await call.send(encode(WriteRequest, { ...base, ...request }));
    const answer = await answers.next();
    if (answer.done === true) throw new GrpcError(GRPC.UNAVAILABLE, `the client has stopped taking ${digest}`);
    return decode<{ readonly offset: number }>(WriteResponse, answer.value).offset;
  };
  try {
    let offset = await ask({ action: ACTION.STAT });
    for await (const data of pieces(await content.open(digest, { start: offset }))) {
      await ask({ action: ACTION.WRITE, offset, data });
      offset += data.length;
    }
    await ask({ action: ACTION.COMMIT, offset });
    call.end();
  } catch (error) {
    call.cancel();
    // It is there already, from an earlier export.
    if (error instanceof GrpcError && error.status === GRPC.ALREADY_EXISTS) return;
    throw error;
  }
}

/** Every piece is answered before the next one goes: few large ones take a fraction of the time. */
async function* pieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
