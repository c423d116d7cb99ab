import type { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit/errors';
import { Demuxer, STDERR, SYSTEM_ERROR } from '@wharf/wire/stdcopy';
import { DetachFilter, parseDetachKeys } from './detach-keys.ts';
import { makeRaw } from './raw-terminal.ts';
import type { Sink } from './sink.ts';

export interface Pumped {
  /** The connection to the container, as raw bytes. */
  readonly connection: Duplex;
  /** The container's process has a terminal: output is one stream, and keys may detach. */
  readonly tty: boolean;
  readonly input: NodeJS.ReadStream | undefined;
  /** Where output goes; both absent: only input is led. */
  readonly out: Sink | undefined;
  readonly err: Sink | undefined;
  readonly detachKeys: string;
  /** Given up: the connection is closed. */
  readonly signal?: AbortSignal;
}

/** How it ended: the container closed its output, the input is at its end and no output is wanted, or the user left. */
export type Ending = 'output' | 'input' | 'detached';

/**
 * Leads standard input to a container and its output here, until one of the ends. The input's end is passed on as such, output goes on.
 * All output is written when this resolves, and the terminal is as it was before. Rejects when the connection or a reader breaks.
 */
export async function pump(pumped: Pumped): Promise<Ending> {
  const { connection, input, out, err, tty, signal } = pumped;
  const stop = (): void => void connection.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  using terminal = input !== undefined && tty ? makeRaw() : undefined;
  const typed = input === undefined ? undefined : leadInput(pumped, input);
  try {
    const endings: Promise<Ending>[] = [];
    if (out !== undefined || err !== undefined) {
      endings.push(takeOutput(connection, tty, { out, err }).then((): Ending => 'output'));
      if (typed !== undefined) endings.push(typed.detached.then((): Ending => 'detached'));
    } else {
      if (typed === undefined) connection.end();
      connection.resume();
      endings.push(
        Promise.resolve(typed?.ended).then((): Ending => 'input'),
        typed?.detached.then((): Ending => 'detached') ?? new Promise<never>(() => undefined),
      );
    }
    const ending = await Promise.race(endings);
    if (ending === 'detached') connection.destroy();
    return ending;
  } finally {
    signal?.removeEventListener('abort', stop);
    typed?.stop();
    terminal?.[Symbol.dispose]();
  }
}

interface Input {
  readonly ended: Promise<void>;
  readonly detached: Promise<void>;
  stop(): void;
}

function leadInput({ connection, tty, detachKeys }: Pumped, input: NodeJS.ReadStream): Input {
  const ended = Promise.withResolvers<void>();
  const detached = Promise.withResolvers<void>();
  const filter = tty ? new DetachFilter(keysOf(detachKeys)) : undefined;
  const onData = (chunk: Buffer): void => {
    const { bytes, isDetached } = filter?.push(chunk) ?? { bytes: chunk, isDetached: false };
    if (bytes.length > 0 && !connection.destroyed && !connection.write(bytes)) {
      input.pause();
      connection.once('drain', onDrain);
    }
    if (isDetached) detached.resolve();
  };
  const onDrain = (): void => void input.resume();
  const onEnd = (): void => {
    // Half of the connection: what the container has to say goes on.
    if (!connection.destroyed) connection.end();
    ended.resolve();
  };
  input.on('data', onData).once('end', onEnd).once('error', onEnd);
  input.resume();
  return {
    ended: ended.promise,
    detached: detached.promise,
    stop: () => {
      input.off('data', onData).off('end', onEnd).off('error', onEnd);
      connection.off('drain', onDrain);
      input.pause();
      // A read that waits for a key does not keep the program.
      if ('unref' in input) input.unref();
    },
  };
}

function keysOf(text: string): Buffer {
  try {
    return parseDetachKeys(text);
  } catch {
    // As docker: whoever wrote the keys wrongly can leave by the usual ones.
    return parseDetachKeys('');
  }
}

interface Sinks {
  readonly out: Sink | undefined;
  readonly err: Sink | undefined;
}

async function takeOutput(connection: Duplex, tty: boolean, sinks: Sinks): Promise<void> {
  const deliver = tty ? plain(sinks) : framed(sinks);
  for await (const chunk of connection as AsyncIterable<Buffer>) await deliver(chunk);
}

function plain({ out, err }: Sinks): Sink {
  return async (bytes) => (out ?? err)?.(bytes);
}

interface Run {
  readonly stream: number;
  readonly payloads: Buffer[];
}

/** Takes the frames of a container without a terminal apart. What came together of one stream is written at once: lines are short. */
export function framed({ out, err }: Sinks): Sink {
  let runs: Run[] = [];
  const demuxer = new Demuxer((stream, payload) => {
    const last = runs.at(-1);
    if (last?.stream === stream) last.payloads.push(payload);
    else runs.push({ stream, payloads: [payload] });
  });
  return async (bytes) => {
    demuxer.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const taken = runs;
    runs = [];
    for (const { stream, payloads } of taken) {
      const [first] = payloads;
      const payload = payloads.length === 1 && first !== undefined ? first : Buffer.concat(payloads);
      if (stream === SYSTEM_ERROR) {
        throw new WharfError('internal', `error from daemon in stream: ${payload.toString('utf8')}`);
      }
      await (stream === STDERR ? err : out)?.(payload);
    }
  };
}
