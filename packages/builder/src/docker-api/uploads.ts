import { WharfError } from '@wharf/kit';
import type { GrpcStream } from '@wharf/wire/grpc/client';
import { frame } from '@wharf/wire/grpc/framing';
import { encode } from '@wharf/wire/grpc/protobuf';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import { BytesMessage } from '../buildkit/messages.ts';
import type { Session } from '../buildkit/sessions.ts';

/** How long a build waits for the upload it names, and an upload for its build. */
const UPLOAD_WAIT_MS = 10_000;
const PULL = '/moby.upload.v1.Upload/Pull';

interface Upload {
  readonly body: AsyncIterable<Uint8Array>;
  /** Somebody begins to read it, which may take its time. */
  readonly begun: () => void;
  /** It has been read, or is not wanted. */
  readonly taken: () => void;
}

/** Archives that clients send in a request of their own, for a build that comes in another one, in either order. */
export class Uploads {
  readonly #waiting = new Map<string, PromiseWithResolvers<Upload>>();

  /** Offers a body to the build of that id. Resolves when it has been read. Throws `not-found` when no build comes for it. */
  async offer(id: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: late, timer } = timeLimit(`no build came for upload ${id}`);
    const slot = this.#slot(id);
    slot.resolve({ body, begun: () => clearTimeout(timer), taken: resolve });
    try {
      await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** A session that has, besides what it lends, the upload of that id to be pulled. Throws `not-found` when none comes. */
  async join(session: Session, id: string): Promise<Session> {
    const { promise: late, timer } = timeLimit(`no upload came for build ${id}`);
    try {
      return withUpload(session, await Promise.race([this.#slot(id).promise, late]));
    } finally {
      clearTimeout(timer);
    }
  }

  #slot(id: string): PromiseWithResolvers<Upload> {
    const slot = this.#waiting.get(id) ?? Promise.withResolvers<Upload>();
    this.#waiting.set(id, slot);
    return slot;
  }
}

function timeLimit(text: string): { readonly promise: Promise<never>; readonly timer: NodeJS.Timeout } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  return { promise, timer: setTimeout(() => reject(new WharfError('not-found', text)), UPLOAD_WAIT_MS) };
}

/** A session of a client that has none: it lends nothing. */
export function absentSession(id: string): Session {
  const none = () => {
    throw new GrpcError(GRPC.UNAVAILABLE, 'the client has opened no session');
  };
  return { id, methods: new Set(), sharedKey: '', client: { unary: async () => none(), open: none } };
}

/** A session that has, besides what it lends, the body of a request to be pulled. */
export function withBody(session: Session, body: AsyncIterable<Uint8Array>): Session {
  const nothing = (): void => undefined;
  return withUpload(session, { body, begun: nothing, taken: nothing });
}

function withUpload(session: Session, upload: Upload): Session {
  const { client } = session;
  return {
    ...session,
    methods: new Set([...session.methods, PULL]),
    client: {
      unary: (path, bytes, signal, metadata) => client.unary(path, bytes, signal, metadata),
      open: (path, metadata, signal) => (path === PULL ? uploadStream(upload) : client.open(path, metadata, signal)),
    },
  };
}

/** An upload as the answer to `Upload/Pull`. */
function uploadStream({ body, begun, taken }: Upload): GrpcStream {
  async function* messages(): AsyncGenerator<Buffer> {
    begun();
    try {
      for await (const data of body) yield Buffer.from(encode(BytesMessage, { data }));
    } finally {
      taken();
    }
  }
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const message of messages()) yield frame(message);
  }
  const nothing = {
    send: () => Promise.resolve(),
    sendFramed: () => Promise.resolve(),
    end: () => undefined,
    cancel: taken,
  };
  return { messages: messages(), chunks: chunks(), ...nothing };
}
