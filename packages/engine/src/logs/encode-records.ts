import type { Attributes } from './attributes.ts';
import { CriScanner } from './cri.ts';
import { JsonEncoder } from './json-encode.ts';
import { MessageJoiner, type PendingLine } from './message-joiner.ts';

export interface EncodeTask {
  /** conmon's records; the last one may be cut off. */
  readonly data: Buffer;
  /** No record is begun once so many bytes were made: the output file is full then. */
  readonly roomBytes: number;
  /** The lines that had begun before. */
  readonly pending: readonly (PendingLine | null)[];
  /** What log options add to each record. */
  readonly attributes: Attributes;
  /** Where records are made while they fit. */
  readonly buffer?: Buffer;
}

export interface Encoded {
  /** Bytes of `data` that were taken. */
  readonly used: number;
  /** Records in Docker's json-file format. */
  readonly bytes: Buffer;
  /** The lines that go on behind what was taken. */
  readonly pending: readonly (PendingLine | null)[];
}

/** conmon's records as Docker's, as many as there is room for. All state goes in and out: a worker can do it as well. */
export function encodeRecords(task: EncodeTask): Encoded {
  const encoder = new JsonEncoder(task.attributes, task.buffer);
  const joiner = new MessageJoiner((message) => encoder.add(message));
  joiner.restore(task.pending);
  const used = new CriScanner().scan(task.data, (record) => {
    if (encoder.length >= task.roomBytes) return false;
    joiner.add(record);
    return true;
  });
  return { used, bytes: encoder.bytes(), pending: joiner.save() };
}

/** The records of lines that will not go on. */
export function encodePending(task: Pick<EncodeTask, 'pending' | 'attributes'>): Buffer {
  const encoder = new JsonEncoder(task.attributes);
  const joiner = new MessageJoiner((message) => encoder.add(message));
  joiner.restore(task.pending);
  joiner.flush();
  return encoder.bytes();
}
