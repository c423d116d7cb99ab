import { messageOf, WharfError } from '@wharf/kit';
import type { StepProcess } from '@wharf/oci/steps/step';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall } from '@wharf/wire/grpc/server';
import { grpcStatusOf } from '@wharf/wire/grpc/status';
import type { JobContainers } from './gateway-container.ts';
import { type Exec, type ExecInit, ExecMessage } from './gateway-messages.ts';

/** The exit code of a process that has none (BuildKit, `UnknownExitStatus`). */
const NO_EXIT_CODE = 0xffff_ffff;
/** Output that waits for a client; a process that is further ahead is ended. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
const STREAMS = { stdout: 1, stderr: 2 } as const;

/** `LLBBridge/ExecProcess`: processes in containers, each under an id that the client makes up. Ends them with the call. */
export async function execProcesses(containers: JobContainers, call: GrpcCall): Promise<void> {
  const processes = new Map<string, Process>();
  const ended: Promise<void>[] = [];
  for await (const bytes of call.messages) {
    const { ProcessID, Init, ...message } = decode<Exec>(ExecMessage, bytes);
    const known = processes.get(ProcessID);
    if (Init !== undefined) {
      if (known !== undefined) throw new WharfError('already-exists', `process ${ProcessID} exists`);
      const process = new Process(ProcessID, call);
      processes.set(ProcessID, process);
      ended.push(process.run(containers, Init).finally(() => processes.delete(ProcessID)));
    } else await known?.take(message);
  }
  await Promise.all(ended);
}

class Process {
  readonly #id: string;
  readonly #call: GrpcCall;
  readonly #ended = new AbortController();
  /** Undefined when it could not be begun. */
  readonly #process = Promise.withResolvers<StepProcess | undefined>();
  #pendingBytes = 0;

  constructor(id: string, call: GrpcCall) {
    this.#id = id;
    this.#call = call;
  }

  /** Runs it to its end; whatever becomes of it is told to the client. */
  async run(containers: JobContainers, { ContainerID, Meta, Tty }: ExecInit): Promise<void> {
    const { args = [], env = [], cwd = '', user = '' } = Meta ?? {};
    const command = { args, env, cwd: cwd === '' ? '/' : cwd, user };
    let isStarted = false;
    const started = (process?: StepProcess): void => {
      this.#process.resolve(process);
      isStarted = true;
      this.#send({ Started: {} });
    };
    try {
      const { exitCode } = await containers.run(ContainerID, command, {
        output: (stream, chunk) => this.#output(STREAMS[stream], chunk),
        signal: AbortSignal.any([this.#call.signal, this.#ended.signal]),
        console: { tty: Tty, started },
      });
      const words = { code: 2, message: `exit code: ${exitCode}` };
      this.#send({ Exit: { Code: exitCode, ...(exitCode === 0 ? {} : { Error: words }) } });
    } catch (error) {
      // Clients wait for this before they listen to anything else.
      if (!isStarted) started();
      const words = { code: grpcStatusOf(error), message: messageOf(error) };
      this.#send({ Exit: { Code: NO_EXIT_CODE, Error: words } });
    }
    this.#send({ Done: {} });
  }

  /** Passes on what the client sends to a process. */
  async take({ File, Resize, Signal }: Pick<Exec, 'File' | 'Resize' | 'Signal'>): Promise<void> {
    // Clients may speak before they have heard that it runs.
    const process = await this.#process.promise;
    if (process === undefined) return;
    if (File !== undefined && File.Fd === 0) {
      if (File.Data.length > 0) await process.write(File.Data);
      if (File.EOF) process.endInput();
    }
    if (Resize !== undefined) process.resize({ rows: Resize.Rows, columns: Resize.Cols });
    if (Signal !== undefined) process.signal(Signal.Name);
  }

  #output(fd: number, data: Buffer): void {
    this.#pendingBytes += data.length;
    if (this.#pendingBytes > MAX_PENDING_BYTES) {
      this.#ended.abort(new WharfError('resource-exhausted', 'the client does not take the output of the process'));
    }
    this.#send({ File: { Fd: fd, Data: data } }, () => {
      this.#pendingBytes -= data.length;
    });
  }

  #send(message: object, sent: () => void = () => undefined): void {
    // A client that has left hears nothing; the call ends what it began.
    this.#call.send(encode(ExecMessage, { ProcessID: this.#id, ...message })).then(sent, () => undefined);
  }
}
