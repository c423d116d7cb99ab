import { readSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '@wharf/kit';
import { endWhenTold } from '@wharf/linux/thread';
import { compress } from './compress.ts';
import { encodeRecords } from './encode-records.ts';
import { SHIP_ASIDE_BYTES } from './limits.ts';
import type { LogOrder, LogReply, LogTask, Shipped, ShipTask } from './thread-tasks.ts';

const input = Buffer.allocUnsafeSlow(SHIP_ASIDE_BYTES);
/** Records seldom grow to more than this; a larger buffer is made for those that do. */
const output = Buffer.allocUnsafeSlow(2 * SHIP_ASIDE_BYTES);

function ship(task: ShipTask): Shipped {
  const readBytes = readSync(task.spoolFd, input, 0, Math.min(task.lengthBytes, input.length), task.offset);
  const data = input.subarray(0, readBytes);
  const { used, bytes, pending } = encodeRecords({ ...task, data, buffer: output });
  let writtenBytes = 0;
  while (writtenBytes < bytes.length) {
    const rest = bytes.length - writtenBytes;
    writtenBytes += writeSync(task.logFd, bytes, writtenBytes, rest, task.position + writtenBytes);
  }
  return { readBytes, used, writtenBytes, pending };
}

async function run(task: LogTask): Promise<Shipped | undefined> {
  if (task.kind === 'ship') return ship(task);
  await compress(task.path, task.start);
  return undefined;
}

async function answer({ id, task }: LogOrder): Promise<void> {
  let reply: LogReply;
  try {
    reply = { id, shipped: await run(task) };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    reply = { id, error: { message: messageOf(error), code } };
  }
  parentPort?.postMessage(reply);
}

endWhenTold();
parentPort?.on('message', (order: LogOrder) => void answer(order));
