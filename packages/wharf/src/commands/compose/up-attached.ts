import { type AppEvent, monitorApp } from '@wharf/compose/logs/monitor';
import type { Project } from '@wharf/compose/model/project';
import type { Runner, UpOptions } from '@wharf/compose/run/runner';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { ExitError } from '../../cli/errors.ts';
import { AppLog } from './app-log.ts';
import { listContainers, logNameOf, nameOf } from './containers.ts';
import type { ImageWork } from './image-work.ts';
import { openLogPrinter } from './log-flags.ts';
import type { LogPrinter } from './log-printer.ts';
import type { ProgressView } from './progress/event.ts';
import { logProgress } from './progress/log.ts';
import type { ComposeSession } from './session.ts';
import type { UpMode, UpValues } from './up-flags.ts';

const INTERRUPTED = 130;
/** What somebody else stopped may be started again within. */
const RESTART_MS = 1000;

export interface UpWork {
  readonly session: ComposeSession;
  readonly project: Project;
  readonly values: UpValues;
  readonly mode: UpMode;
  readonly options: UpOptions;
  readonly images: ImageWork;
  /** Those the line names. */
  readonly services: readonly string[];
}

/**
 * `up` in the foreground: creates everything, attaches, starts, and shows what the containers write until none is left. The first
 * interrupt stops them, the second one kills them.
 */
export async function upAttached(work: UpWork): Promise<number> {
  const { session, project, options, images } = work;
  const attachTo = servicesToAttach(work);
  await session.withProgress('Running', async (view) => {
    const runner = await session.runner(
      { project, name: project.name, view },
      { images: images.provider(view), confirm: session.confirm },
    );
    await runner.create({ ...options, rollOut: true });
  });
  return new Attached(work, attachTo, await session.client()).run();
}

/** Services whose output is shown. Throws for one that is not brought up. */
function servicesToAttach({ project, values, services }: UpWork): readonly string[] {
  const known = Object.keys(project.services);
  const unknown = values.attach.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new ExitError(1, `cannot attach to services not included in up: ${unknown.join(', ')}`);
  }
  const asked = services.length === 0 || values['attach-dependencies'] ? known : services;
  const wanted =
    values.attach.length > 0 ? values.attach : asked.filter((name) => project.services[name]?.attach !== false);
  return wanted.filter((name) => !values['no-attach'].includes(name));
}

class Attached {
  readonly #work: UpWork;
  readonly #attachTo: readonly string[];
  readonly #client: DockerClient;
  readonly #printer: LogPrinter;
  readonly #log: AppLog;
  /** Ends what listens, once the application is over. */
  readonly #leave = new AbortController();
  readonly #stopping: Promise<void>[] = [];
  #interrupts = 0;
  #isOver = false;
  #exitCode = 0;
  #hasExitCode = false;

  constructor(work: UpWork, attachTo: readonly string[], client: DockerClient) {
    this.#work = work;
    this.#attachTo = attachTo;
    this.#client = client;
    const { session, values } = work;
    const { 'no-color': isMonochrome, 'no-log-prefix': noPrefix, timestamps } = values;
    this.#printer = openLogPrinter(session, { isMonochrome, prefix: !noPrefix, timestamps });
    const { warn } = session;
    this.#log = new AppLog({ client, consumer: this.#printer, warn, signal: this.#leave.signal });
  }

  async run(): Promise<number> {
    const interrupt = (): void => this.#interrupt();
    // One that came while containers were created is this one's first.
    if (this.#work.session.signal.aborted) interrupt();
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
    try {
      await this.#follow();
      await Promise.all(this.#stopping);
    } finally {
      this.#isOver = true;
      this.#leave.abort();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    }
    return this.#interrupts > 0 ? INTERRUPTED : this.#exitCode;
  }

  async #follow(): Promise<void> {
    const { project, values, services } = this.#work;
    const { signal } = this.#leave;
    await this.#attach();
    const counted = new Set(services.length > 0 ? services : this.#attachTo);
    const onEvent = (event: AppEvent): void => this.#take(event);
    // What is stopped from here is not started again.
    const restartMs = (): number => (this.#stopping.length > 0 ? 0 : RESTART_MS);
    const monitor = monitorApp({
      ...{ client: this.#client, project: project.name, services: counted, onEvent, restartMs, signal },
    });
    await monitor.started;
    const watching = values.watch ? await this.#watch(signal) : undefined;
    try {
      await this.#start();
    } catch (error) {
      // What an interrupt stops half-way is no failure of the start.
      if (this.#interrupts === 0) throw error;
    }
    await monitor.over;
    await watching?.[Symbol.asyncDispose]();
    await this.#log.over();
  }

  /** Attaches before anything starts, so that no line is missed. */
  async #attach(): Promise<void> {
    const { project, session } = this.#work;
    const choice = { project: project.name, services: this.#attachTo, all: true, oneOff: 'exclude' } as const;
    if (this.#attachTo.length === 0) return;
    const found = await listContainers(this.#client, choice, this.#leave.signal);
    const containers = found.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
    if (containers.length === 0) return;
    const names = containers.map(logNameOf);
    session.context.out.line(`Attaching to ${names.join(', ')}`);
    this.#printer.register(names);
    await Promise.all(containers.map((container) => this.#log.attach(container.Id, logNameOf(container))));
  }

  async #start(): Promise<void> {
    const { options, services } = this.#work;
    const { waitTimeout } = options;
    // Docker compose is silent here: who is attached sees what happens.
    const runner = await this.#runner({ event: () => undefined, tail: () => undefined, finish: () => undefined });
    await runner.start({ services, ...(waitTimeout === undefined ? {} : { waitTimeout }) });
  }

  async #watch(signal: AbortSignal): Promise<AsyncDisposable> {
    const { startWatch } = await import('./watch/start-watch.ts');
    const { session, project, images, services } = this.#work;
    return startWatch({ session, project, images, services, consumer: this.#printer, prune: true, signal });
  }

  #take(event: AppEvent): void {
    void this.#log.tell(event);
    if (
      event.kind === 'started' &&
      (event.isRestarting || !this.#log.has(event.id)) &&
      this.#attachTo.includes(event.service)
    ) {
      void this.#log.readSinceStart(event.id, event.name, { follow: true });
    }
    if (event.kind === 'exited') this.#exited(event);
  }

  #exited({ exitCode, service }: AppEvent): void {
    const { mode, values, session } = this.#work;
    if (mode.onExit === 'ignore') return;
    const from = values['exit-code-from'];
    if (from !== '' && service === from && !this.#hasExitCode) {
      this.#hasExitCode = true;
      this.#exitCode = exitCode;
    }
    if (this.#stopping.length > 0 || (mode.onExit === 'stop-on-failure' && exitCode === 0)) return;
    if (!this.#hasExitCode) this.#exitCode = exitCode;
    const words = 'Aborting on container exit...';
    session.context.err.line(session.appearance.colouredErr ? `\u001b[31m\u001b[1m${words}\u001b[0m` : words);
    this.#stop();
  }

  #interrupt(): void {
    this.#interrupts += 1;
    if (this.#isOver) return;
    if (this.#interrupts === 1) {
      this.#work.session.context.out.line('Gracefully Stopping... press Ctrl+C again to force');
      this.#stop();
    } else if (this.#interrupts === 2) this.#stopping.push(this.#kill());
  }

  #stop(): void {
    const { services } = this.#work;
    const { timeout } = this.#work.values;
    const stop = async (): Promise<void> => {
      const runner = await this.#runner(this.#progress());
      await runner.stop({ services, ...(timeout === undefined ? {} : { timeout }) });
    };
    // A container that is killed meanwhile is what was wanted.
    this.#stopping.push(stop().catch((error: unknown) => (this.#interrupts > 1 ? undefined : Promise.reject(error))));
    this.#stopping.at(-1)?.catch(() => undefined);
  }

  async #kill(): Promise<void> {
    const { services } = this.#work;
    try {
      const runner = await this.#runner(this.#progress());
      await runner.kill({ services });
    } catch (error) {
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
    }
  }

  #runner(view: ProgressView): Promise<Runner> {
    const { session, project } = this.#work;
    return session.runner(
      { project, name: project.name, view },
      { hookOutput: ({ name }, line) => this.#printer.log(`${name} ->`, line) },
    );
  }

  /** Progress among the lines of containers. */
  #progress(): ProgressView {
    return logProgress(this.#work.session, this.#printer);
  }
}
