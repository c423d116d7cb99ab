import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/**
 * Hashes files while they are being written: it reads behind the writer from the same descriptor (descriptors belong to
 * the process, so to all its threads), which costs one read from the page cache and no copy between threads.
 */
export type HashRequest =
  | { readonly do: 'start'; readonly id: number; readonly fd: number; readonly algorithm: string }
  | { readonly do: 'advance'; readonly id: number; readonly until: number }
  | { readonly do: 'finish'; readonly id: number }
  | { readonly do: 'drop'; readonly id: number };

export interface HashReply {
  readonly id: number;
  readonly hex?: string;
  readonly error?: string;
}

interface Job {
  readonly fd: number;
  readonly hash: Hash;
  position: number;
  error: string | undefined;
}

const port = parentPort;
if (port === null) throw new Error('hash-worker.ts runs as a worker thread only');

const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
const jobs = new Map<number, Job>();

port.on('message', (request: HashRequest) => {
  if (request.do === 'start') {
    jobs.set(request.id, { fd: request.fd, hash: createHash(request.algorithm), position: 0, error: undefined });
    return;
  }
  const job = jobs.get(request.id);
  if (!job) return;
  if (request.do === 'advance') {
    advance(job, request.until);
    return;
  }
  jobs.delete(request.id);
  const reply: HashReply =
    job.error === undefined ? { id: request.id, hex: job.hash.digest('hex') } : { id: request.id, error: job.error };
  port.postMessage(reply);
});

function advance(job: Job, until: number): void {
  while (job.error === undefined && job.position < until) {
    try {
      const count = readSync(job.fd, buffer, 0, Math.min(buffer.length, until - job.position), job.position);
      if (count === 0) job.error = 'the file is shorter than what was written';
      job.hash.update(buffer.subarray(0, count));
      job.position += count;
    } catch (error) {
      job.error = error instanceof Error ? error.message : String(error);
    }
  }
}
