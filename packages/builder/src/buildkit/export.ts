import { WharfError } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { WorkerPool } from '@wharf/oci/workers/pool';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import { onlyPlatform } from '../finish.ts';
import { placeOf } from '../ops/place.ts';
import type { Exporter } from '../result.ts';
import type { Tree } from '../solver/tree.ts';
import { PACKET } from './diff-copy.ts';
import type { ExportParams } from './export-job.ts';
import { Packet, type PacketMessage } from './messages.ts';
import type { Session } from './sessions.ts';

const METHOD = '/moby.filesync.v1.FileSend/DiffCopy';
const module = import.meta.resolve('./export-job.ts');
/** Apart from the pool for layers: a client that takes its time must not hold those up. */
const pool = new WorkerPool({ name: 'export', size: 2 });

/** Where a client wants a tree: `id` is the number of its exporter. */
interface ExportOrder {
  readonly id: number;
  readonly signal: AbortSignal;
}

/** Hands the files to the client. */
export function filesExporter(session: Session, id: number, type: 'local' | 'tar'): Exporter {
  return async (result, { snapshots, step, signal }) => {
    const { tree } = onlyPlatform(result, type);
    const send = type === 'tar' ? exportTar : exportDirectory;
    const title = `exporting to client ${type === 'tar' ? 'tarball' : 'directory'}`;
    await step(title, () => send(session, snapshots, tree, { id, signal }));
    return {};
  };
}

/** Sends a tree as an archive into the file that the client has opened. */
async function exportTar(session: Session, snapshots: Snapshotter, tree: Tree, order: ExportOrder): Promise<void> {
  const call = openCall(session, order);
  const params = { source: placeOf(snapshots, { kind: 'tree', tree }) };
  try {
    await pool.run<ExportParams, void>({
      ...{ module, job: 'exportTarJob', params, signal: order.signal },
      output: (chunk) => call.send(chunk),
    });
  } catch (error) {
    call.cancel();
    throw error;
  }
  call.end();
  // The client has closed its file when the call ends.
  for await (const _ of call.messages);
}

/** Sends a tree into a directory of the client, over what is there (fsutil's DiffCopy). Throws what the client reports. */
async function exportDirectory(
  session: Session,
  snapshots: Snapshotter,
  tree: Tree,
  order: ExportOrder,
): Promise<void> {
  const call = openCall(session, order);
  const wanted = new TransformStream<Uint8Array, Uint8Array>();
  const writer = wanted.writable.getWriter();
  const params = { source: placeOf(snapshots, { kind: 'tree', tree }) };
  const sending = pool.run<ExportParams, void>({
    ...{ module, job: 'exportTreeJob', params, signal: order.signal },
    input: wanted.readable,
    inputAtOnce: true,
    output: (chunk) => call.send(chunk),
  });
  sending.catch(() => call.cancel());
  let isDone = false;
  try {
    for await (const bytes of call.messages) {
      const packet = decode<PacketMessage>(Packet, bytes);
      if (packet.type === PACKET.REQUEST) void writer.write(numberBytes(packet.ID)).catch(() => undefined);
      else if (packet.type === PACKET.FIN) {
        await writer.close();
        await sending;
        await call.send(encode(Packet, { type: PACKET.FIN }));
        call.end();
        isDone = true;
      } else if (packet.type === PACKET.ERROR) {
        throw new WharfError('unavailable', `error from receiver: ${Buffer.from(packet.data).toString('utf8')}`);
      }
    }
    if (!isDone) throw new WharfError('unavailable', 'Cannot export the result: the client left in the middle');
  } catch (error) {
    call.cancel();
    void writer.abort(error).catch(() => undefined);
    // Where the sending failed first, that is why the call ended.
    await sending;
    throw error;
  }
}

function openCall(session: Session, { id, signal }: ExportOrder): ReturnType<Session['client']['open']> {
  if (!session.methods.has(METHOD)) {
    throw new WharfError('failed-precondition', 'Cannot export the result: the client takes no files');
  }
  return session.client.open(METHOD, { 'buildkit-attachable-exporter-id': String(id) }, signal);
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
