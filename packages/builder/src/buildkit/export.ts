import { isKind, WharfError } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { toText } from '@wharf/oci/tar/bytes';
import { WorkerPool } from '@wharf/oci/workers/pool';
import type { GrpcStream } from '@wharf/wire/grpc/client';
import { FRAME_HEADER_BYTES, writeFrameHeader } from '@wharf/wire/grpc/framing';
import { decode, encode, encodeHead } from '@wharf/wire/grpc/protobuf';
import type { Subject } from '../export/attestation-manifest.ts';
import { type Attributes, epochOf } from '../export/attributes.ts';
import { directoryOf, type FilesLayout, filesLayout, statementFiles } from '../export/statement-files.ts';
import { placeOf } from '../ops/place.ts';
import type { BuildResult, Exporter, ExportTools, PlatformResult } from '../result.ts';
import { PACKET } from './diff-copy.ts';
import type { ExportParams, ExportPart } from './export-job.ts';
import { BytesMessage, Packet, type PacketMessage } from './messages.ts';
import type { Session } from './sessions.ts';

const METHOD = '/moby.filesync.v1.FileSend/DiffCopy';
const PIECE_BYTES = 256 * 1024;
/** The frame's header and the field's, which are a dozen bytes. */
const HEAD_ROOM_BYTES = 64;
const module = import.meta.resolve('./export-job.ts');
/** Apart from the pool for layers: a client that takes its time must not hold those up. */
const pool = new WorkerPool({ name: 'export', size: 2 });

/** Where a client wants something: `id` is the number of its exporter. */
interface ExportOrder {
  readonly id: number;
  readonly signal: AbortSignal;
  /** What the client is told beforehand. */
  readonly response?: Readonly<Record<string, string>>;
}

/** Hands the files to the client: as an archive, or into a directory over what is there. */
export function filesExporter(session: Session, id: number, type: 'local' | 'tar', attributes: Attributes): Exporter {
  const epoch = epochOf(attributes['source-date-epoch']);
  const { mode = 'copy' } = attributes;
  if (mode !== 'copy' && mode !== 'delete') {
    throw new WharfError('invalid-argument', `invalid local exporter mode "${mode}"`);
  }
  return async (result, tools) => {
    const layout = filesLayout(attributes, result);
    const time = epoch ?? result.sourceDateEpoch;
    const timeNs = time === undefined ? undefined : BigInt(time) * 1_000_000_000n;
    const order = { id, signal: tools.signal };
    await tools.step(`exporting to client ${type === 'tar' ? 'tarball' : 'directory'}`, async (part) => {
      const parts = await Promise.all(result.platforms.map((each) => partOf(each, result, layout, tools)));
      if (type === 'tar') {
        await part('sending tarball', () => sendTar(session, { parts, timeNs }, order));
        return;
      }
      if (!layout.isSplit && parts.length > 1) await refuseSameNames(parts, result, tools.signal);
      // Where all lie in one directory each is sent on its own; elsewhere the client may delete what it is not sent.
      const calls = layout.isSplit || parts.length === 1 ? [parts] : parts.map((each) => [each]);
      if (calls.length > 1 && mode === 'delete') {
        throw new WharfError(
          'invalid-argument',
          'Cannot delete in a directory that several platforms share: split them',
        );
      }
      for (const sent of calls) {
        await part('copying files', () => sendDirectory(session, { parts: sent, timeNs }, order));
      }
    });
    return {};
  };
}

async function partOf(
  result: PlatformResult,
  { isMultiPlatform }: BuildResult,
  layout: FilesLayout,
  { snapshots, signal }: ExportTools,
): Promise<ExportPart> {
  const source = placeOf(snapshots, { kind: 'tree', tree: result.tree });
  const part = { source, directory: directoryOf(result, layout), extra: [] };
  if (!result.attestations.some(({ fileName }) => fileName !== undefined)) return part;
  const params = { parts: [{ ...part, directory: '' }], timeNs: undefined };
  const subjects = await pool.run<ExportParams, readonly Subject[]>({
    module,
    job: 'exportDigestsJob',
    params,
    signal,
  });
  return { ...part, extra: statementFiles(result, subjects, { ...layout, isMultiPlatform }) };
}

async function refuseSameNames(
  parts: readonly ExportPart[],
  { platforms }: BuildResult,
  signal: AbortSignal,
): Promise<void> {
  const owners = new Map<string, string>();
  for (const [index, part] of parts.entries()) {
    const params = { parts: [part], timeNs: undefined };
    const names = await pool.run<ExportParams, readonly string[]>({ module, job: 'exportNamesJob', params, signal });
    const platform = platforms[index]?.platform;
    const own = platform === undefined ? '' : formatPlatform(platform);
    for (const name of names) {
      const other = owners.get(name);
      if (other !== undefined) {
        throw new WharfError(
          'already-exists',
          `cannot overwrite ${toText(name)} from ${other} with ${own} when split option is disabled`,
        );
      }
      owners.set(name, own);
    }
  }
}

/** Sends trees as an archive into the file that the client has opened. */
async function sendTar(session: Session, params: ExportParams, order: ExportOrder): Promise<void> {
  const call = openCall(session, order);
  try {
    await pool.run<ExportParams, void>({
      ...{ module, job: 'exportTarJob', params, signal: order.signal },
      output: (chunk) => call.sendFramed(chunk),
      outputGivesBack: true,
    });
  } catch (error) {
    call.cancel();
    throw error;
  }
  call.end();
  // The client has closed its file when the call ends.
  for await (const _ of call.messages);
}

/** Sends bytes into the file that the client has opened. A client that has them already (`already-exists`) is content. */
export async function sendFile(session: Session, bytes: AsyncIterable<Buffer>, order: ExportOrder): Promise<void> {
  const call = openCall(session, order);
  // The same for every piece: what is thrown away by the hundred megabytes is not collected as fast as it is made.
  const memory = Buffer.allocUnsafeSlow(PIECE_BYTES + HEAD_ROOM_BYTES);
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const data = chunk.subarray(at, at + PIECE_BYTES);
        const head = encodeHead(BytesMessage, {}, { name: 'data', length: data.length });
        memory.set(head, FRAME_HEADER_BYTES);
        memory.set(data, FRAME_HEADER_BYTES + head.length);
        await call.sendFramed(writeFrameHeader(memory.subarray(0, FRAME_HEADER_BYTES + head.length + data.length)));
      }
    }
    call.end();
    for await (const _ of call.messages);
  } catch (error) {
    call.cancel();
    if (!isKind(error, 'already-exists')) throw error;
  }
}

/** Sends trees into a directory of the client (fsutil's DiffCopy). Throws what the client reports. */
async function sendDirectory(session: Session, params: ExportParams, order: ExportOrder): Promise<void> {
  const call = openCall(session, order);
  const wanted = new TransformStream<Uint8Array, Uint8Array>();
  const writer = wanted.writable.getWriter();
  const sending = pool.run<ExportParams, void>({
    ...{ module, job: 'exportTreeJob', params, signal: order.signal },
    input: wanted.readable,
    inputAtOnce: true,
    output: (chunk) => call.sendFramed(chunk),
    outputGivesBack: true,
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

function openCall(session: Session, { id, signal, response = {} }: ExportOrder): GrpcStream {
  if (!session.methods.has(METHOD)) {
    throw new WharfError('failed-precondition', 'Cannot export the result: the client takes no files');
  }
  const told = Object.entries(response).map(([key, value]) => [`exporter-md-${key}`, value] as const);
  const metadata = {
    'buildkit-attachable-exporter-id': String(id),
    // All platforms come in one call, so that a client may delete what it was not sent.
    'buildkit-exporter-multi-platform': '1',
    ...Object.fromEntries(told),
  };
  return session.client.open(METHOD, metadata, signal);
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
