import type { Clock, ContainerId, Logger } from '@wharf/kit';
import { formatGoDuration, formatRfc3339Nano, messageOf, parseRfc3339, Semaphore } from '@wharf/kit';
import type { ContainerRecord, HealthLogEntry } from '../containers/container.ts';
import { type HealthCheck, healthCheckOf } from './health-config.ts';
import type { HealthHooks, HealthService } from './health-service.ts';
import { CONCURRENT_PROBES, PROBE_OUTPUT_BYTES } from './limits.ts';
import { restartsOnUnhealthy } from './restart-policy.ts';
import { afterProbe, STARTING, untilNextProbe } from './transition.ts';

export interface HealthServiceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly hooks: HealthHooks;
  readonly concurrency?: number;
}

/** Makes the room of health checks. The hooks are not called before the first `start`. */
export function createHealthService(options: HealthServiceOptions): HealthService {
  return new HealthChecks(options);
}

/** Node's timers take no longer delay than this. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/**
 * One loop per container with a check: wait, probe, book.
 *
 * Invariants:
 * - at most one loop per container; a loop whose signal is aborted books nothing any more;
 * - at most `concurrency` probes run at a time, first come first served, and the wait for a place is no part of the
 *   probe's timeout.
 */
class HealthChecks implements HealthService {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #hooks: HealthHooks;
  readonly #places: Semaphore;
  readonly #loops = new Map<ContainerId, AbortController>();

  constructor(options: HealthServiceOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#hooks = options.hooks;
    this.#places = new Semaphore(options.concurrency ?? CONCURRENT_PROBES);
  }

  start(record: ContainerRecord): void {
    this.stop(record.id);
    const check = healthCheckOf(record.config);
    if (check === undefined) return;
    this.#hooks.save(record.id, STARTING);
    this.#begin(record.id, check);
  }

  resume(record: ContainerRecord): void {
    if (this.#loops.has(record.id)) return;
    const check = healthCheckOf(record.config);
    if (check === undefined) return;
    if (record.state.health === undefined) this.#hooks.save(record.id, STARTING);
    this.#begin(record.id, check);
  }

  stop(id: ContainerId): void {
    this.#loops.get(id)?.abort();
    this.#loops.delete(id);
  }

  close(): void {
    for (const controller of this.#loops.values()) controller.abort();
    this.#loops.clear();
  }

  #begin(id: ContainerId, check: HealthCheck): void {
    const controller = new AbortController();
    this.#loops.set(id, controller);
    void this.#loop(id, check, controller.signal)
      .catch((error: unknown) => {
        if (controller.signal.aborted) return;
        this.#log.error({ container: id, err: messageOf(error) }, 'a health check ended');
      })
      .finally(() => {
        if (this.#loops.get(id) === controller) this.#loops.delete(id);
      });
  }

  async #loop(id: ContainerId, check: HealthCheck, signal: AbortSignal): Promise<void> {
    for (;;) {
      const before = this.#hooks.find(id);
      if (before === undefined || signal.aborted) return;
      const waitNs = untilNextProbe(before.state.health ?? STARTING, this.#sinceStart(before), check);
      await this.#sleep(waitNs, signal);
      await this.#places.run(() => this.#probe(id, check, signal), { signal });
    }
  }

  async #sleep(ns: bigint, signal: AbortSignal): Promise<void> {
    for (let left = Number(ns / 1_000_000n); left > 0; left -= LONGEST_SLEEP_MS) {
      await this.#clock.sleep(Math.min(left, LONGEST_SLEEP_MS), { signal });
    }
  }

  async #probe(id: ContainerId, check: HealthCheck, signal: AbortSignal): Promise<void> {
    const record = this.#hooks.find(id);
    if (record === undefined) return;
    const sinceStartNs = this.#sinceStart(record);
    const entry = await this.#run(record, check, signal);
    const current = this.#hooks.find(id);
    if (signal.aborted || current === undefined) return;
    const before = current.state.health ?? STARTING;
    const after = afterProbe(before, { entry, sinceStartNs }, check);
    this.#hooks.save(id, after);
    if (after.status === before.status) return;
    this.#hooks.publish(current, `health_status: ${after.status}`);
    if (after.status === 'unhealthy' && restartsOnUnhealthy(current)) this.#hooks.onUnhealthy(current);
  }

  async #run(record: ContainerRecord, check: HealthCheck, signal: AbortSignal): Promise<HealthLogEntry> {
    const start = formatRfc3339Nano(this.#clock.nowNs());
    const booked = (exitCode: number, output: string): HealthLogEntry => ({
      start,
      end: formatRfc3339Nano(this.#clock.nowNs()),
      exitCode,
      output,
    });
    try {
      const timeoutMs = Math.max(1, Number(check.timeoutNs / 1_000_000n));
      // One byte more than is kept tells a cut output from one that just fits.
      const options = { timeoutMs, outputLimitBytes: PROBE_OUTPUT_BYTES + 1, signal };
      const result = await this.#hooks.probe(record, check.command, options);
      const output = cut(result.output);
      if (result.timedOut !== true) return booked(result.exitCode, output);
      const sentence = `Health check exceeded timeout (${formatGoDuration(check.timeoutNs)})`;
      return booked(-1, output === '' ? sentence : `${sentence}: ${output}`);
    } catch (error) {
      return booked(-1, messageOf(error));
    }
  }

  #sinceStart(record: ContainerRecord): bigint {
    return this.#clock.nowNs() - (parseRfc3339(record.state.startedAt) ?? 0n);
  }
}

function cut(output: string): string {
  const bytes = Buffer.from(output);
  if (bytes.length <= PROBE_OUTPUT_BYTES) return output;
  return `${bytes.toString('utf8', 0, PROBE_OUTPUT_BYTES)}...`;
}

export { checkHealthcheck, healthCheckOf, mergeHealthcheck } from './health-config.ts';
export type { HealthHooks, HealthService } from './health-service.ts';
export { restartsOnUnhealthy } from './restart-policy.ts';
