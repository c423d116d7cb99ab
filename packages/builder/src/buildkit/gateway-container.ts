import { randomBytes } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import type { StepProcess } from '@wharf/oci/steps/step';
import type { GrpcDetail } from '@wharf/wire/grpc/status';
import { lowLevelOp } from '../attestations/low-level.ts';
import type { Builder } from '../build.ts';
import type { FailedStep } from '../ops/failed-step.ts';
import type { OpenStep, StepCommand, StepIo } from '../ops/open-step.ts';
import type { NewContainer } from './gateway-messages.ts';
import type { Results } from './results.ts';

/** Containers that may be open on one build. */
export const MAX_CONTAINERS = 16;

interface Container {
  readonly step: OpenStep;
  /** Given back with the container; the failed step itself outlives it. */
  readonly isOwn: boolean;
  readonly ended: AbortController;
  /** The first process; others run beside it. */
  first: { readonly ended: Promise<unknown>; readonly process: Promise<StepProcess | undefined> } | undefined;
}

/**
 * Containers that a client opens on a build (BuildKit, gateway `NewContainer`, `ExecProcess`, `ReleaseContainer`), to look at it.
 *
 * - `LLBBridge/Solve{Evaluate}` that fails in a RUN is answered with an error; without `Evaluate` it is answered with a reference, and
 *   `LLBBridge/Evaluate` of that with the error, whose details hold `errdefs.Solve`: `op.exec` as it was tried
 *   (`meta.args`, `meta.env`, `meta.cwd`, `meta.user`, `mounts`), and `mountIDs`, one for each of those mounts. The first mount is
 *   the root as the failed command left it; `inputIDs` name the same mounts as they were before it ran.
 * - The failed step stays as it is, with its secrets, caches and context, for as long as `Control/Solve` of that build is open: until
 *   the client calls `LLBBridge/Return` (with the error) or goes away. Then all of it is given back.
 * - `NewContainer{ContainerID, Mounts}` takes an id that the client makes up, and mounts with `resultID` set to one of those ids; of a
 *   build that succeeded one mount at `/` with the id of its result's reference. What is changed in the failed root is there for the next
 *   container on it; what is changed in other roots goes with the container.
 * - `ExecProcess` is a stream: `Init` first, with `Meta` and `Fds` ([0, 1, 2] for all three) or `Tty` (then 1 carries all output), then
 *   `File` (with `EOF` for the end of stdin), `Resize` and `Signal` from the client; `Started`, `File`, `Exit{Code}`, `Done` from here.
 *   Several processes may run in a container; the first one takes the others with it. A root is one container's at a time.
 * - All calls carry the build's reference in the metadata `buildkit-controlapi-buildid`.
 */
export class JobContainers {
  readonly #builder: Pick<Builder, 'openTree'>;
  readonly #results: Results;
  readonly #open = new Map<string, Container>();
  #failed: { readonly step: FailedStep; readonly root: string; readonly before: string } | undefined;

  constructor(options: { readonly builder: Pick<Builder, 'openTree'>; readonly results: Results }) {
    this.#builder = options.builder;
    this.#results = options.results;
  }

  /** Lets containers be opened on a failed step. Returns what tells the client of it (BuildKit, `errdefs.Solve`). */
  hold(step: FailedStep): GrpcDetail {
    const [root, before] = [newId(), newId()];
    this.#failed = { step, root, before };
    const { body } = lowLevelOp(step.vertex);
    const count = 'mounts' in body ? body.mounts.length : 1;
    const ids = (id: string) => Array.from({ length: count }, (_, index) => (index === 0 ? id : `${id}-${index}`));
    const solve = { inputIDs: ids(before), mountIDs: ids(root), op: { exec: body } };
    const value = Buffer.from(JSON.stringify(solve));
    return { type_url: 'github.com/moby/buildkit/errdefs.Solve+json', value };
  }

  /** Opens a container. Throws `not-found` for a root that is not held, `already-exists`, `resource-exhausted`. */
  async create({ ContainerID, Mounts }: NewContainer): Promise<void> {
    if (this.#open.has(ContainerID)) throw new WharfError('already-exists', `container ${ContainerID} exists`);
    if (this.#open.size >= MAX_CONTAINERS) {
      throw new WharfError('resource-exhausted', `Cannot open a container: ${MAX_CONTAINERS} are open on this build`);
    }
    const root = Mounts.find(({ dest }) => dest === '/')?.resultID ?? '';
    const ended = new AbortController();
    const isOwn = root !== this.#failed?.root;
    this.#open.set(ContainerID, { ...{ step: await this.#root(root), isOwn, ended }, first: undefined });
  }

  #root(id: string): Promise<OpenStep> {
    const failed = this.#failed;
    if (failed !== undefined && id === failed.root) return Promise.resolve(failed.step.step);
    if (failed !== undefined && id === failed.before) return failed.step.openBefore();
    const result = this.#results.find(id);
    if (result?.kind === 'tree') return this.#builder.openTree(result);
    throw new WharfError('not-found', `Cannot open a container on "${id}": nothing is held under that id`);
  }

  /** Runs a command in a container to its end. Throws `failed-precondition` while another container runs in the same root. */
  async run(containerId: string, command: StepCommand, io: StepIo): Promise<{ readonly exitCode: number }> {
    const container = this.#open.get(containerId);
    if (container === undefined) throw new WharfError('not-found', `container ${containerId} not found`);
    const signal = AbortSignal.any([io.signal, container.ended.signal]);
    const first = await container.first?.process;
    if (first !== undefined) return first.exec({ ...command, ...io, signal });
    if ([...this.#open.values()].some((other) => other.step === container.step && other.first !== undefined)) {
      throw new WharfError('failed-precondition', 'Cannot run a process: another container runs one in the same root');
    }
    const started = Promise.withResolvers<StepProcess | undefined>();
    const console = {
      tty: io.console?.tty === true,
      started: (process: StepProcess) => {
        started.resolve(process);
        io.console?.started(process);
      },
    };
    const running = container.step.run(command, { ...io, console, signal });
    container.first = { ended: running.catch(() => undefined), process: started.promise };
    try {
      return await running;
    } finally {
      started.resolve(undefined);
      container.first = undefined;
    }
  }

  /** Ends what runs in a container and gives it back. Nothing happens to one that is not there. */
  async release(containerId: string): Promise<void> {
    const container = this.#open.get(containerId);
    if (container === undefined) return;
    this.#open.delete(containerId);
    container.ended.abort(new WharfError('aborted', 'the container is released'));
    await container.first?.ended;
    if (container.isOwn) await container.step[Symbol.asyncDispose]();
  }

  /** Releases all, and lets the failed step go. */
  async close(): Promise<void> {
    this.#failed = undefined;
    await Promise.all([...this.#open.keys()].map((id) => this.release(id)));
  }
}

function newId(): string {
  return randomBytes(16).toString('hex');
}
