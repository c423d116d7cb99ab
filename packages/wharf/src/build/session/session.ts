import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { BytesMessage, Empty, Healthy } from '@wharf/builder/buildkit/messages';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { encode } from '@wharf/wire/grpc/protobuf';
import { type GrpcHandler, type GrpcMethods, serveGrpc } from '@wharf/wire/grpc/server';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import type { OutputSink } from '../outputs.ts';
import { upgrade } from '../upgrade.ts';
import { contentMethods } from './content-store.ts';
import { fileSend } from './file-send.ts';
import { fileSync, type SyncListener } from './file-sync.ts';
import { answering, type Loans, lendingMethods } from './lend.ts';

export interface SessionOffer {
  readonly directories: ReadonlyMap<string, string>;
  readonly uploads: ReadonlyMap<string, AsyncIterable<Uint8Array>>;
  readonly stores: ReadonlyMap<string, string>;
  readonly sinks: ReadonlyMap<number, OutputSink>;
  readonly loans: Loans;
  readonly sharedKey: string;
  readonly onSync: SyncListener;
  readonly onReceive: (bytes: number) => void;
}

/** A connection on which the daemon asks for files, secrets and the like, for as long as it is open. */
export interface OpenSession extends Disposable {
  readonly id: string;
  readonly ended: Promise<void>;
}

/** Opens one (BuildKit, "session"; Engine API, `POST /session`). */
export async function openSession(
  daemon: DockerClient,
  offer: SessionOffer,
  signal: AbortSignal,
): Promise<OpenSession> {
  const id = randomUUID().replaceAll('-', '').slice(0, 25);
  const methods = sessionMethods(offer);
  const socket = await upgrade(daemon, '/session', {
    signal,
    headers: {
      'x-docker-expose-session-uuid': id,
      'x-docker-expose-session-name': hostname(),
      'x-docker-expose-session-sharedkey': offer.sharedKey,
      'x-docker-expose-session-grpc-method': [...methods.keys()],
    },
  });
  const ended = serveGrpc(socket, methods);
  return { id, ended, [Symbol.dispose]: () => void socket.destroy() };
}

function sessionMethods(offer: SessionOffer): GrpcMethods {
  const methods = new Map<string, GrpcHandler>(lendingMethods(offer.loans));
  methods.set(
    '/grpc.health.v1.Health/Check',
    answering(Empty, Healthy, () => Promise.resolve({ status: 1 })),
  );
  if (offer.directories.size > 0) {
    methods.set('/moby.filesync.v1.FileSync/DiffCopy', fileSync(offer.directories, offer.onSync));
  }
  if (offer.sinks.size > 0) methods.set('/moby.filesync.v1.FileSend/DiffCopy', fileSend(offer.sinks, offer.onReceive));
  if (offer.uploads.size > 0) methods.set('/moby.upload.v1.Upload/Pull', upload(offer.uploads));
  if (offer.stores.size > 0) for (const [path, handler] of contentMethods(offer.stores)) methods.set(path, handler);
  return methods;
}

/** Hands a stream over, once (BuildKit, `Upload.Pull`). */
function upload(streams: ReadonlyMap<string, AsyncIterable<Uint8Array>>): GrpcHandler {
  return async (call) => {
    const path = call.metadata.get('urlpath')?.[0] ?? '';
    const stream = streams.get(path.slice(path.lastIndexOf('/') + 1));
    if (stream === undefined) throw new GrpcError(GRPC.NOT_FOUND, `no upload at ${path}`);
    for await (const data of stream) await call.send(encode(BytesMessage, { data }));
  };
}
