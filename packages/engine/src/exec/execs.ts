import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import {
  type Clock,
  type ContainerId,
  type ExecId,
  type Logger,
  messageOf,
  newId,
  WharfError,
  withDeadline,
} from '@wharf/kit';
import { expectCgroupMove } from '@wharf/linux/cgroup';
import { containerNotRunning, containerPaused, containerRestarting, noSuchExec } from '@wharf/wire/docker/messages';
import type { ContainerRecord } from '../containers/container.ts';
import type { ContainerService } from '../containers/container-service.ts';
import { userIn } from '../containers/user-lookup.ts';
import type { EngineConfig } from '../engine-config.ts';
import { launchMonitor, RuntimeRefusal } from '../runtime/monitor.ts';
import { ATTACH_SOCKET, CONTROL_FIFO } from '../runtime/monitor-arguments.ts';
import type { HostLimits } from '../runtime/oci-spec/build.ts';
import { readHostLimits } from '../runtime/oci-spec/host-limits.ts';
import type { OciRuntime, Runtimes } from '../runtime/runtime.ts';
import { EXIT_CANNOT_RUN, execFailure, exitCodeOf } from '../runtime/runtime-error.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import type { ProcessStreams } from '../streams/process-streams.ts';
import { startDirectExec } from './direct-exec.ts';
import { rootfsOf, writeExecProcess } from './exec-process.ts';
import type {
  AttachedStartOptions,
  Exec,
  ExecConfig,
  ExecService,
  ExecStartOptions,
  ProbeResult,
} from './exec-service.ts';
import { EXIT_CODE_WAIT_MS, KEEP_ENDED_MS, MAX_EXECS_PER_CONTAINER } from './limits.ts';
import { type ProbeOptions, runProbe } from './probe.ts';

export interface ExecServiceDeps {
  readonly config: EngineConfig;
  readonly containers: Pick<ContainerService, 'get' | 'find' | 'publish'>;
  readonly runtimes: Runtimes;
  readonly createStreams: (options: {
    readonly log: Logger;
    readonly onOutput?: (bytes: number) => void;
  }) => ProcessStreams;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Makes the room of execs. Leftovers of an earlier daemon's execs are removed from the exec root. */
export function createExecService(deps: ExecServiceDeps): ExecService {
  return new Execs(deps);
}

interface Entry {
  readonly id: ExecId;
  readonly containerId: ContainerId;
  readonly config: ExecConfig;
  readonly streams: ProcessStreams;
  /** The exit is booked. */
  readonly ended: PromiseWithResolvers<void>;
  state: 'created' | 'starting' | 'running' | 'ended';
  pid: number;
  exitCode: number | undefined;
}

/** An exec's process as its supervision sees it. */
interface RunningExec {
  readonly pid: number;
  readonly exitCode: Promise<number | undefined>;
  /** Says that the process is gone, so that its streams can end. */
  readonly over: () => void;
}

/**
 * Invariants:
 * - an exec is started at most once;
 * - it leaves the list of its container when it ends, and the books some minutes later;
 * - its directory under the exec root lives from its start to its end.
 */
class Execs implements ExecService {
  readonly #deps: ExecServiceDeps;
  readonly #host: HostLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #byContainer = new Map<ContainerId, Set<Entry>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #directory: string;

  constructor(deps: ExecServiceDeps) {
    this.#deps = deps;
    this.#host = readHostLimits(deps.config);
    this.#directory = join(deps.config.execRoot, 'execs');
    // Monitors of an earlier daemon keep what they need open; nobody can ask for those execs any more.
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async create(containerIdOrName: string, config: ExecConfig): Promise<ExecId> {
    const record = this.#deps.containers.get(containerIdOrName);
    checkRuns(record, containerIdOrName);
    expectCgroupMove();
    if (config.detachKeys !== undefined) parseDetachKeys(config.detachKeys);
    if (config.user !== '') userIn(rootfsOf(this.#deps.config, record), config.user);
    const siblings = this.#byContainer.get(record.id) ?? new Set<Entry>();
    if (siblings.size >= MAX_EXECS_PER_CONTAINER) {
      throw new WharfError(
        'resource-exhausted',
        `Cannot create an exec in container "${record.name}": it has ${MAX_EXECS_PER_CONTAINER} that have not ended`,
      );
    }
    const entry: Entry = {
      id: newId<'exec'>(),
      containerId: record.id,
      config,
      streams: this.#deps.createStreams({ log: this.#deps.log }),
      ended: Promise.withResolvers<void>(),
      state: 'created',
      pid: 0,
      exitCode: undefined,
    };
    this.#entries.set(entry.id, entry);
    siblings.add(entry);
    this.#byContainer.set(record.id, siblings);
    this.#publish(entry, `exec_create: ${commandLine(config.command)}`);
    return entry.id;
  }

  get(id: string): Exec {
    const { containerId, config, state, exitCode, pid, ...entry } = this.#get(id);
    return { id: entry.id, containerId, config, running: state === 'running' || state === 'starting', exitCode, pid };
  }

  async settled(id: string): Promise<Exec> {
    const entry = this.#get(id);
    if (entry.state === 'running' && !entry.streams.connected) {
      await withDeadline({ ms: EXIT_CODE_WAIT_MS }, () => entry.ended.promise).catch(() => undefined);
    }
    return this.get(id);
  }

  check(id: string): void {
    const entry = this.#get(id);
    if (entry.state === 'ended') throw new WharfError('conflict', `exec command ${entry.id} has already run`);
    if (entry.state !== 'created') throw new WharfError('conflict', `exec command ${entry.id} is already running`);
    checkRuns(this.#deps.containers.get(entry.containerId));
  }

  async startDetached(id: string, options: ExecStartOptions): Promise<void> {
    this.check(id);
    const entry = this.#get(id);
    await this.#launch(entry, options, undefined);
  }

  async startAttached(id: string, client: Duplex, options: AttachedStartOptions): Promise<void> {
    this.check(id);
    const entry = this.#get(id);
    const { attachStdin: stdin, attachStdout: stdout, attachStderr: stderr, detachKeys } = entry.config;
    let attached: Promise<unknown> | undefined;
    const attach = () => {
      attached = entry.streams
        .attach(client, { stdin, stdout, stderr, framed: !options.tty, detachKeys })
        .then((end) => end === 'detached' && this.#publish(entry, 'exec_detach'));
    };
    try {
      await this.#launch(entry, options, attach);
    } catch (error) {
      options.refused(error);
      entry.streams.close();
      if (attached === undefined) client.end();
    }
    await attached;
  }

  resize(id: string, size: { readonly height: number; readonly width: number }): void {
    const entry = this.#get(id);
    checkRuns(this.#deps.containers.get(entry.containerId));
    if (entry.state === 'ended') throw new WharfError('conflict', `exec ${entry.id} is not running`);
    if (entry.config.tty) entry.streams.resize(size);
  }

  streams(id: string): ProcessStreams {
    return this.#get(id).streams;
  }

  running(containerId: ContainerId): readonly ExecId[] {
    return [...(this.#byContainer.get(containerId) ?? [])].map(({ id }) => id);
  }

  forget(containerId: ContainerId): void {
    for (const entry of this.#byContainer.get(containerId) ?? []) {
      if (entry.state !== 'created') continue;
      this.#entries.delete(entry.id);
      entry.streams.close();
      this.#byContainer.get(containerId)?.delete(entry);
    }
    if (this.#byContainer.get(containerId)?.size === 0) this.#byContainer.delete(containerId);
  }

  async probe(containerId: ContainerId, command: readonly string[], options: ProbeOptions): Promise<ProbeResult> {
    const record = this.#deps.containers.get(containerId);
    const id = newId<'exec'>();
    const directory = join(this.#directory, id);
    const exec = { command, env: [], user: '', workingDirectory: '', tty: false, privileged: false };
    const processPath = this.#write(record, directory, exec, undefined);
    const subject = { id, containerId };
    this.#publish(subject, `exec_create: ${commandLine(command)}`);
    this.#publish(subject, `exec_start: ${commandLine(command)}`);
    const runtime = this.#deps.runtimes.get(record.hostConfig.Runtime);
    const result = await runProbe(runtime, record.id, { directory, processPath }, options);
    this.#publish(subject, 'exec_die', { exitCode: String(result.exitCode) });
    return result;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const entry of this.#entries.values()) entry.streams.close();
  }

  #get(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined || this.#deps.containers.find(entry.containerId) === undefined) {
      throw new WharfError('not-found', noSuchExec(id));
    }
    return entry;
  }

  #write(
    record: ContainerRecord,
    directory: string,
    exec: Parameters<typeof writeExecProcess>[0]['exec'],
    consoleSize: ExecConfig['consoleSize'],
  ): string {
    return writeExecProcess({ directory, record, config: this.#deps.config, host: this.#host, exec, consoleSize });
  }

  async #launch(entry: Entry, options: ExecStartOptions, attach: (() => void) | undefined): Promise<void> {
    const directory = join(this.#directory, entry.id);
    expectCgroupMove();
    entry.state = 'starting';
    this.#publish(entry, `exec_start: ${commandLine(entry.config.command)}`);
    try {
      const running = await this.#spawn(entry, directory, options, attach);
      entry.pid = running.pid;
      entry.state = 'running';
      void this.#supervise(entry, running, directory);
    } catch (error) {
      this.#book(entry, exitCodeOf(error) ?? EXIT_CANNOT_RUN, directory);
      throw error;
    }
  }

  async #spawn(
    entry: Entry,
    directory: string,
    options: ExecStartOptions,
    attach: (() => void) | undefined,
  ): Promise<RunningExec> {
    const { config } = entry;
    const record = this.#deps.containers.get(entry.containerId);
    const size = options.consoleSize ?? config.consoleSize;
    const processPath = this.#write(record, directory, config, size);
    if (size !== undefined && config.tty) entry.streams.resize(size);
    const runtime = this.#deps.runtimes.get(record.hostConfig.Runtime);
    try {
      if (attach !== undefined && !config.tty && runtime.runsExecs) {
        return await this.#runDirectly(entry, { runtime, directory, processPath, attach });
      }
      const { processPid, execExitCode } = await launchMonitor(
        {
          monitorPath: this.#deps.runtimes.monitorPath,
          runtime,
          containerId: record.id,
          name: record.name,
          directory,
          log: { driver: 'none' },
          terminal: config.tty,
          // Without it the monitor gives the process the host's /dev/null, and crun gives that to the process's user.
          stdin: config.attachStdin || !config.tty,
          leaveStdinOpen: config.tty,
          exec: { processPath, attach: true },
        },
        async () => {
          attach?.();
          await entry.streams.connect({
            attachSocketPath: join(directory, ATTACH_SOCKET),
            controlFifoPath: join(directory, CONTROL_FIFO),
            terminal: config.tty,
            stdin: config.attachStdin || (config.tty ? false : 'ended'),
            stdinOnce: true,
          });
        },
      );
      return { pid: processPid, exitCode: execExitCode, over: () => entry.streams.processExited() };
    } catch (error) {
      if (error instanceof RuntimeRefusal) throw execFailure(error.message, config.command[0] ?? '');
      throw error;
    }
  }

  /** An exec that ends with its client and the daemon needs no monitor. */
  async #runDirectly(
    { containerId, config, streams }: Entry,
    given: {
      readonly runtime: OciRuntime;
      readonly directory: string;
      readonly processPath: string;
      readonly attach: () => void;
    },
  ): Promise<RunningExec> {
    const { attach, ...how } = given;
    const { pid, stdio, exited } = await startDirectExec({ ...how, containerId, stdin: config.attachStdin });
    attach();
    const paths = { attachSocketPath: '', controlFifoPath: '' };
    await streams.connect({
      ...paths,
      socket: stdio,
      terminal: false,
      stdin: config.attachStdin,
      stdinOnce: true,
    });
    return { pid, exitCode: exited, over: () => stdio.finish() };
  }

  async #supervise(entry: Entry, running: RunningExec, directory: string): Promise<void> {
    const exitCode = await running.exitCode.catch((error: unknown) => {
      this.#deps.log.warn({ exec: entry.id, err: messageOf(error) }, 'the exit code of an exec is lost');
      return undefined;
    });
    const known = exitCode === undefined || exitCode < 0 ? EXIT_CANNOT_RUN : exitCode;
    // Whoever sees the end of the streams asks for the exit code next.
    this.#book(entry, known, directory);
    running.over();
    this.#publish(entry, 'exec_die', { exitCode: String(known) });
  }

  #book(entry: Entry, exitCode: number, directory: string): void {
    entry.state = 'ended';
    entry.exitCode = exitCode;
    this.#byContainer.get(entry.containerId)?.delete(entry);
    if (this.#byContainer.get(entry.containerId)?.size === 0) this.#byContainer.delete(entry.containerId);
    entry.ended.resolve();
    void rm(directory, { recursive: true, force: true }).catch((error: unknown) =>
      this.#deps.log.warn({ exec: entry.id, err: messageOf(error) }, 'the directory of an exec stays'),
    );
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#entries.delete(entry.id);
    }, KEEP_ENDED_MS);
    timer.unref();
    this.#timers.add(timer);
  }

  #publish(
    entry: Pick<Entry, 'id' | 'containerId'>,
    action: string,
    extra: Readonly<Record<string, string>> = {},
  ): void {
    const record = this.#deps.containers.find(entry.containerId);
    if (record !== undefined) this.#deps.containers.publish(record, action, { execID: entry.id, ...extra });
  }
}

/** As events show it: Docker keeps the program and its arguments apart, so a program alone has a blank behind it. */
function commandLine([program = '', ...rest]: readonly string[]): string {
  return `${program} ${rest.join(' ')}`;
}

/** `name` is what the client called the container. */
function checkRuns(record: ContainerRecord, name: string = record.id): void {
  const { status } = record.state;
  if (status === 'restarting') throw new WharfError('conflict', containerRestarting(record.id));
  if (status === 'paused') throw new WharfError('conflict', containerPaused(name));
  if (status !== 'running') throw new WharfError('conflict', containerNotRunning(record.id));
}
