import { mkdir, rm } from 'node:fs/promises';
import { WharfError } from '@wharf/kit';
import { WorkerPool } from '@wharf/oci/workers/pool';
import type { GrpcStream } from '@wharf/wire/grpc/client';
import { encode } from '@wharf/wire/grpc/protobuf';
import { MAX_DEFINITION_BYTES, MAX_DEFINITION_ENTRIES, MAX_INTAKES } from '../limits.ts';
import type { ContextPlace } from '../sources/kept-contexts.ts';
import { PACKET } from './diff-copy.ts';
import { Packet } from './messages.ts';
import { FIN, type ReceiveOutcome, type ReceiveParams } from './receive-job.ts';
import type { Session } from './sessions.ts';
import { TreeReceiver } from './tree-receiver.ts';

/** What of a client's directory is wanted. */
export interface TreeRequest {
  /** `context`, `dockerfile`, or the name of a further one. */
  readonly name: string;
  readonly exclude: readonly string[];
  /** Only these paths and where their links lead; everything when empty. */
  readonly follow: readonly string[];
}

const METHOD = '/moby.filesync.v1.FileSync/DiffCopy';
const NUMBER_BYTES = 4;

/** Threads of their own, since a client may take its time. */
const intakes = new WorkerPool({ name: 'contexts', size: MAX_INTAKES });

/**
 * Makes a place hold a client's directory (fsutil's DiffCopy): the client tells every path, we ask for the files that are not there
 * yet, and it sends them in pieces. Owners are root's. Returns how many bytes of content came. The work is a worker's. Throws `invalid-argument` for a path that would lead
 * outside, `unavailable` when the client leaves, and what it reports.
 */
export async function receiveInto(
  place: ContextPlace,
  session: Session,
  request: TreeRequest,
  signal: AbortSignal,
): Promise<number> {
  const call = openTree(session, request, signal);
  const { tree, incoming, index, bootId } = place;
  try {
    const { bytes } = await intakes.run<ReceiveParams, ReceiveOutcome>({
      ...{ module: import.meta.resolve('./receive-job.ts'), job: 'receiveJob' },
      params: { tree, incoming, index, bootId },
      input: call.chunks,
      inputAtOnce: true,
      signal,
      async output(chunk) {
        for (let at = 0; at < chunk.length; at += NUMBER_BYTES) {
          const number = chunk.readUInt32LE(at);
          await call.send(encode(Packet, number === FIN ? { type: PACKET.FIN } : { type: PACKET.REQUEST, ID: number }));
          if (number === FIN) call.end();
        }
      },
    });
    return bytes;
  } catch (error) {
    call.cancel();
    throw error;
  }
}

/**
 * Fetches a few small files of a client's directory into a new one: the Dockerfile and what belongs to it. Throws as `receiveInto`,
 * and `resource-exhausted` for more.
 */
export async function receiveFiles(
  directory: string,
  session: Session,
  request: TreeRequest,
  signal: AbortSignal,
): Promise<void> {
  const incoming = `${directory}.incoming`;
  await mkdir(directory, { recursive: true });
  await mkdir(incoming, { recursive: true });
  const call = openTree(session, request, signal);
  const receiver = new TreeReceiver({
    ...{ root: directory, incoming, index: new Map(), onChange: () => undefined },
    ...{ maxEntries: MAX_DEFINITION_ENTRIES, maxBytes: MAX_DEFINITION_BYTES },
  });
  try {
    for await (const message of call.messages) {
      receiver.take(message);
      for (const ID of receiver.takeWanted()) await call.send(encode(Packet, { type: PACKET.REQUEST, ID }));
      if (!receiver.takeFin()) continue;
      await call.send(encode(Packet, { type: PACKET.FIN }));
      call.end();
    }
    if (!receiver.isFinished)
      throw new WharfError('unavailable', "Cannot read the client's files: it left in the middle");
  } catch (error) {
    call.cancel();
    throw error;
  } finally {
    receiver.dispose();
    await rm(incoming, { recursive: true, force: true });
  }
}

/** Asks for a client's directory; what comes are fsutil's packets. */
export function openTree(session: Session, request: TreeRequest, signal: AbortSignal): GrpcStream {
  const metadata = {
    'dir-name': [request.name],
    ...(request.exclude.length > 0 ? { 'exclude-patterns': request.exclude.map(encodeURIComponentOnce) } : {}),
    ...(request.follow.length > 0 ? { followpaths: request.follow.map(encodeURIComponentOnce) } : {}),
    ...(needsEncoding(request.exclude) ? { 'exclude-patterns-encoded': '1' } : {}),
    ...(needsEncoding(request.follow) ? { 'followpaths-encoded': '1' } : {}),
  };
  return session.client.open(METHOD, metadata, signal);
}

/** Metadata is ASCII; other values go percent-encoded, all of one name or none. */
function needsEncoding(values: readonly string[]): boolean {
  return values.some((value) => /[^\x20-\x7e]/.test(value));
}

function encodeURIComponentOnce(value: string, _index: number, all: readonly string[]): string {
  return needsEncoding(all) ? encodeURIComponent(value) : value;
}
