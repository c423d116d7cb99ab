import { mkdirSync, rmSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { FrameReader } from '@wharf/wire/grpc/framing';
import { MAX_CONTEXT_BYTES, MAX_CONTEXT_ENTRIES } from '../limits.ts';
import { readIndex, writeIndex } from '../sources/context-index.ts';
import { TreeReceiver } from './tree-receiver.ts';

/** In the output of a job, in the place of a file's number: there is no more to ask for. */
export const FIN = 0xffff_ffff;

export interface ReceiveParams {
  readonly tree: string;
  readonly incoming: string;
  readonly index: string;
  readonly bootId: string;
}

export interface ReceiveOutcome {
  /** Content that came, in bytes. */
  readonly bytes: number;
}

/**
 * Receives a client's directory into a kept tree: takes the bytes of the call, and writes the numbers of the files that the client is
 * to send, 32 bits each, little endian. The index is away while the tree changes; after a failure it says what is there.
 */
export async function receiveJob(
  { tree, incoming, index: indexPath, bootId }: ReceiveParams,
  io: JobIo,
): Promise<ReceiveOutcome> {
  const known = readIndex(indexPath);
  const index = known ?? new Map();
  rmSync(incoming, { recursive: true, force: true });
  mkdirSync(incoming, { mode: 0o700 });
  let hasChanged = known === undefined;
  const onChange = (): void => {
    hasChanged = true;
    rmSync(indexPath, { force: true });
  };
  const receiver = new TreeReceiver({
    ...{ root: tree, incoming, index, onChange },
    ...{ maxEntries: MAX_CONTEXT_ENTRIES, maxBytes: MAX_CONTEXT_BYTES },
  });
  const frames = new FrameReader();
  try {
    for await (const chunk of io.input) {
      io.signal.throwIfAborted();
      for (const message of frames.push(chunk)) receiver.take(message);
      const wanted = receiver.takeWanted();
      if (wanted.length > 0) await io.write(numbers(wanted));
      if (receiver.takeFin()) await io.write(numbers([FIN]));
    }
  } finally {
    receiver.dispose();
    if (hasChanged) writeIndex(indexPath, bootId, index);
  }
  if (!receiver.isFinished)
    throw new WharfError('unavailable', "Cannot read the client's files: it left in the middle");
  return { bytes: receiver.bytes };
}

function numbers(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
