import { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall } from '@wharf/wire/grpc/server';
import { BytesMessage } from './messages.ts';
import type { Sessions } from './sessions.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * A session inside of a call (`Control/Session`): its messages carry the bytes of a connection on which we are the client. buildx opens
 * such for directories that several builds share.
 */
export async function serveSession(sessions: Sessions, call: GrpcCall): Promise<void> {
  const values = (name: string) => call.metadata.get(`x-docker-expose-session-${name}`) ?? [];
  const [id = ''] = values('uuid');
  if (id === '') throw new WharfError('invalid-argument', 'Cannot open a session: it has no id');
  const stream = connectionOf(call);
  const [sharedKey = ''] = values('sharedkey');
  await sessions.serve(id, { methods: values('grpc-method'), sharedKey }, stream);
}

function connectionOf(call: GrpcCall): Duplex {
  const messages = call.messages[Symbol.asyncIterator]();
  const next = async (): Promise<Buffer | null> => {
    for (;;) {
      const { done, value } = await messages.next();
      if (done === true) return null;
      const { data } = decode<{ readonly data: Buffer }>(BytesMessage, value);
      // An empty piece would look like the end.
      if (data.length > 0) return data;
    }
  };
  const stream = new Duplex({
    read() {
      next().then(
        (data) => this.push(data),
        (error: unknown) => this.destroy(error instanceof Error ? error : undefined),
      );
    },
    write(chunk: Buffer, _encoding, done) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) pieces.push(chunk.subarray(at, at + PIECE_BYTES));
      const send = async (): Promise<void> => {
        try {
          for (const data of pieces) await call.send(encode(BytesMessage, { data }));
          done();
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)));
        }
      };
      void send();
    },
  });
  call.signal.addEventListener('abort', () => stream.destroy(), { once: true });
  return stream;
}
