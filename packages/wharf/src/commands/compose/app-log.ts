import { setTimeout } from 'node:timers/promises';
import type { AppEvent } from '@wharf/compose/logs/monitor';
import { attachOutput, type LineSink, type LogChoice, readLog } from '@wharf/compose/logs/output';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { toTimestamp } from '@wharf/wire/docker-client/timestamp';
import type { LogConsumer } from './log-printer.ts';

/** How long a container's last lines may take to come before it is said to be over. */
const LAST_LINES_MS = 500;

export interface AppLogOptions {
  readonly client: DockerClient;
  readonly consumer: LogConsumer;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/** The output of an application's containers, as they come and go. */
export class AppLog {
  readonly #options: AppLogOptions;
  /** By container: until its output is over. */
  readonly #open = new Map<string, Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(options: AppLogOptions) {
    this.#options = options;
  }

  /** Containers whose output is being shown. */
  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** Shows a container's log. All of it goes to standard output, as docker compose has it. */
  read(id: string, name: string, choice: LogChoice): void {
    const { client, consumer, warn, signal } = this.#options;
    const line = (bytes: Buffer): void => consumer.log(name, bytes);
    const over = readLog(client, id, { ...choice, sink: { out: line, err: line }, signal }).catch((error: unknown) => {
      // Of a container whose driver keeps no log there is nothing to show.
      if (!isStatus(error, 501)) throw error;
      warn(`Can't retrieve logs for ${JSON.stringify(name)}: ${error.message}`);
    });
    this.#keep(id, over);
  }

  /** Shows what a container writes from when this resolves; where it cannot be attached to, what its log has. */
  async attach(id: string, name: string): Promise<void> {
    const { client, consumer, signal } = this.#options;
    const sink: LineSink = {
      out: (line) => consumer.log(name, line),
      err: (line) => consumer.error(name, line),
    };
    try {
      const { ended } = await attachOutput(client, id, { sink, signal });
      this.#keep(id, ended);
    } catch {
      this.#keep(id, readLog(client, id, { follow: true, sink, signal }));
    }
  }

  /** Shows a container that was just started from its first line of this time on. */
  async readSinceStart(id: string, name: string, choice: Omit<LogChoice, 'since'>): Promise<void> {
    const { client, signal } = this.#options;
    try {
      const { State } = await client.json<{ readonly State: { readonly StartedAt: string } }>(
        'GET',
        `/containers/${id}/json`,
        { signal },
      );
      this.read(id, name, { ...choice, since: toTimestamp(State.StartedAt, Date.now()) });
    } catch (error) {
      if (!isStatus(error, 404) && !signal.aborted) throw error;
    }
  }

  /** Says what became of a container, once its last lines are there. */
  async tell({ kind, id, name, exitCode, isRestarting, replaced }: AppEvent): Promise<void> {
    const { consumer } = this.#options;
    if (kind === 'recreated') consumer.status(replaced, 'has been recreated');
    if (kind !== 'exited') return;
    const over = this.#open.get(id);
    if (over !== undefined) await Promise.race([over, setTimeout(LAST_LINES_MS, undefined, { ref: false })]);
    consumer.status(name, `exited with code ${exitCode}${isRestarting ? ' (restarting)' : ''}`);
  }

  /** Resolves when all output is over. Throws the first failure of reading it. */
  async over(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open.values());
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  #keep(id: string, over: Promise<void>): void {
    const kept = over
      .catch((error: unknown) => {
        if (!this.#options.signal.aborted) this.#failures.push(error);
      })
      .finally(() => {
        if (this.#open.get(id) === kept) this.#open.delete(id);
      });
    this.#open.set(id, kept);
  }
}
