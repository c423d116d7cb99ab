import { closeSync, constants, existsSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasErrno, type Logger, WharfError } from '@wharf/kit';
import { SealedProgram } from '@wharf/linux/sealed-program';
import { runTool } from '@wharf/linux/spawn';
import { CHECKPOINT_DEADLINE_MS, RUNTIME_CALL_DEADLINE_MS, RUNTIME_MESSAGE_LIMIT } from './limits.ts';
import type { Spec } from './oci-spec/spec.ts';
import type { LinuxResources, OciRuntime } from './runtime.ts';
import { COMPILED_FILTER_ANNOTATION, type CompiledFilters } from './seccomp/compiled-filters.ts';
import { scopeAnnotations } from './systemd-scope.ts';

export interface CommandRuntimeOptions {
  readonly name: string;
  readonly path: string;
  readonly extraArguments: readonly string[];
  /** `--root`: where it keeps its state, on the exec root. */
  readonly stateRoot: string;
  /** systemd makes the control groups. */
  readonly systemdCgroups: boolean;
  readonly log: Logger;
  /** Filters compiled before; only crun takes them. */
  readonly filters: CompiledFilters;
}

/** crun(1): without it, processes are in a group below the scope, where limits set on the scope do not show. */
const SUBGROUP_ANNOTATION = 'run.oci.systemd.subgroup';

/** A runtime driven by its command line; any that follows runc's. */
export class CommandRuntime implements OciRuntime {
  readonly name: string;
  readonly path: string;
  readonly globalArguments: readonly string[];
  readonly #stateRoot: string;
  readonly #systemdCgroups: boolean;
  readonly #log: Logger;
  readonly #filters: CompiledFilters;
  /**
   * crun's init waits for a byte in `exec.fifo`; runc's waits to write into it, so there the program must be run. crun also
   * takes a compiled seccomp filter.
   */
  readonly #isCrun: boolean;
  readonly #sealed: SealedProgram;

  constructor(options: CommandRuntimeOptions) {
    this.name = options.name;
    this.path = options.path;
    this.#stateRoot = options.stateRoot;
    this.#systemdCgroups = options.systemdCgroups;
    this.#log = options.log;
    this.#filters = options.filters;
    const driver = options.systemdCgroups ? ['--systemd-cgroup'] : [];
    this.globalArguments = [...options.extraArguments, `--root=${options.stateRoot}`, ...driver];
    this.#isCrun = basename(options.path) === 'crun';
    this.#sealed = new SealedProgram(options.path);
  }

  get executable(): string {
    return this.#isCrun ? this.#sealed.path : this.path;
  }

  get runsExecs(): boolean {
    return this.#isCrun;
  }

  tune(spec: Spec): Spec {
    if (!this.#isCrun) return spec;
    const { seccomp } = spec.linux;
    const program = seccomp ? this.#filters.find(seccomp) : undefined;
    const added = {
      ...(program === undefined ? {} : { [COMPILED_FILTER_ANNOTATION]: program }),
      ...(this.#systemdCgroups ? { [SUBGROUP_ANNOTATION]: '', ...scopeAnnotations(spec.linux.resources) } : {}),
    };
    return Object.keys(added).length === 0 ? spec : { ...spec, annotations: { ...spec.annotations, ...added } };
  }

  learn(id: string, spec: Spec): void {
    const { seccomp } = spec.linux;
    if (this.#isCrun && seccomp) this.#filters.learn(seccomp, join(this.#stateRoot, id, 'seccomp.bpf'));
  }

  async start(id: string): Promise<void> {
    if (!this.#isCrun) {
      await this.#run(['start', id]);
      return;
    }
    const fifo = this.#fifo(id);
    let fd: number;
    try {
      fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (hasErrno(error, 'ENXIO', 'ENOENT')) {
        throw new WharfError('internal', `cannot start a container that has stopped: ${id}`, { cause: error });
      }
      throw error;
    }
    try {
      // In crun's own order (status.c): once the name is gone the container counts as running.
      unlinkSync(fifo);
      writeSync(fd, Buffer.of(0));
    } finally {
      closeSync(fd);
    }
  }

  isWaiting(id: string): boolean {
    return existsSync(this.#fifo(id));
  }

  async pause(id: string): Promise<void> {
    await this.#run(['pause', id]);
  }

  async resume(id: string): Promise<void> {
    await this.#run(['resume', id]);
  }

  async update(id: string, resources: LinuxResources): Promise<void> {
    await this.#run(['update', '--resources', '-', id], { input: JSON.stringify(resources) });
  }

  async processes(id: string): Promise<readonly number[]> {
    const output = await this.#run(['ps', '--format', 'json', id]);
    const list: unknown = JSON.parse(output);
    return Array.isArray(list) ? list.map(Number).filter((pid) => Number.isInteger(pid)) : [];
  }

  async checkpoint(
    id: string,
    options: { readonly imagePath: string; readonly workPath: string; readonly leaveRunning: boolean },
  ): Promise<void> {
    const flags = ['--image-path', options.imagePath, '--work-path', options.workPath, '--file-locks'];
    if (options.leaveRunning) flags.push('--leave-running');
    await this.#run(['checkpoint', ...flags, id], { timeoutMs: CHECKPOINT_DEADLINE_MS });
  }

  async delete(id: string): Promise<void> {
    if (!existsSync(join(this.#stateRoot, id))) return;
    try {
      await this.#run(['delete', '--force', id]);
    } catch (error) {
      if (!existsSync(join(this.#stateRoot, id))) return;
      this.#log.warn({ container: id, err: error }, 'the runtime could not delete a container');
      throw error;
    }
  }

  async list(): Promise<readonly string[]> {
    try {
      return await readdir(this.#stateRoot);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return [];
      throw error;
    }
  }

  #fifo(id: string): string {
    return join(this.#stateRoot, id, 'exec.fifo');
  }

  async #run(
    command: readonly string[],
    options: { readonly input?: string; readonly timeoutMs?: number } = {},
  ): Promise<string> {
    const result = await runTool({
      path: this.executable,
      argv: [this.path, ...this.globalArguments, ...command],
      timeoutMs: options.timeoutMs ?? RUNTIME_CALL_DEADLINE_MS,
      input: options.input,
    });
    if (result.code === 0) return result.stdout.toString('utf8');
    const words = result.stderr.toString('utf8').trim().slice(0, RUNTIME_MESSAGE_LIMIT);
    throw new WharfError(
      'internal',
      `${this.name} ${command[0] ?? ''} failed: ${words || `exit status ${result.code}`}`,
    );
  }
}
