import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelayMs, type Logger, messageOf } from '@wharf/kit';
import type { Store, Table } from '@wharf/store';
import type { WebClient } from '@wharf/wire/http/web-client';
import { matches } from '../access/pattern.ts';
import { HOOK_ATTEMPTS, HOOK_BACKOFF, HOOK_PAGE, HOOK_POLL_MS, HOOK_TIMEOUT_MS, MAX_DELIVERIES } from '../limits.ts';
import type { Catalog } from '../model/catalog.ts';
import type { RegistryEvent } from '../model/records.ts';
import type { Extension } from '../plug/extension.ts';
import { actionOf, payloadOf, signatureOf } from './payload.ts';
import type { DeliveryRecord, HookAction, HookRecord } from './records.ts';

export interface HooksOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly now: () => number;
  readonly log: Logger;
  readonly userAgent: string;
  /** Replaced by tests that do not want to wait. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
}

/**
 * Webhooks. Each has a follower of its own that reads the event log from where it was, also after a restart: every event is delivered at least
 * once, in order, or noted as given up after the last attempt. One slow receiver holds up nobody else.
 */
export class Hooks {
  readonly records: Table<HookRecord>;
  readonly deliveries: Table<DeliveryRecord>;
  /** The number of the last event a hook is done with. */
  readonly cursors: Table<{ readonly done: number }>;
  readonly #options: HooksOptions;
  #client: Promise<WebClient> | undefined;
  readonly #running = new Map<string, AbortController>();
  readonly #ended = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HooksOptions) {
    const { store } = options;
    this.#options = options;
    this.records = store.table('registry.hooks');
    this.deliveries = store.table('registry.deliveries');
    this.cursors = store.table('registry.hookCursors');
  }

  get extension(): Extension {
    return {
      name: 'webhooks',
      pulled: ({ repository, digest, tag, identity }) => {
        if (!this.#wantsPull(repository)) return;
        const { catalog, now } = this.#options;
        const event = { kind: 'x-pull', at: now(), by: identity.name, repository, digest } as const;
        catalog.tell(tag === undefined ? event : { ...event, tag });
      },
      close: () => this.close(),
    };
  }

  /** Begins to deliver. */
  start(): void {
    this.#timer = setInterval(() => this.#look(), HOOK_POLL_MS).unref();
  }

  /** A new hook hears of what comes after it. */
  add(id: string, record: HookRecord): void {
    this.records.put(id, record);
    this.cursors.put(id, { done: this.#options.catalog.events.last });
  }

  /** False when there is none of that name. */
  remove(id: string): boolean {
    this.#running.get(id)?.abort();
    this.cursors.delete(id);
    for (const { key } of this.deliveries.list(`${id}/`)) this.deliveries.delete(key);
    return this.records.delete(id);
  }

  /** Stops; what was not delivered is after the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const controller of this.#running.values()) controller.abort();
    await Promise.all(this.#ended);
    (await this.#client)?.close();
  }

  #wantsPull(repository: string): boolean {
    if (this.records.size === 0) return false;
    return this.records
      .list()
      .some(({ value }) => value.actions.includes('pull') && matches(value.repository, repository));
  }

  #look(): void {
    const { events } = this.#options.catalog;
    if (this.records.size === 0) return;
    for (const { key } of this.records.list()) {
      if (this.#running.has(key) || (this.cursors.get(key)?.done ?? 0) >= events.last) continue;
      const controller = new AbortController();
      this.#running.set(key, controller);
      const work = this.#follow(key, controller.signal)
        .catch((error: unknown) => {
          if (!controller.signal.aborted)
            this.#options.log.error({ hook: key, error: messageOf(error) }, 'a webhook stands still');
        })
        .finally(() => {
          this.#running.delete(key);
          this.#ended.delete(work);
        });
      this.#ended.add(work);
    }
  }

  async #follow(id: string, signal: AbortSignal): Promise<void> {
    const { events } = this.#options.catalog;
    for (;;) {
      const after = this.cursors.get(id)?.done ?? 0;
      const page = events.read({ after, limit: HOOK_PAGE });
      if (page.length === 0) return;
      for (const { number, value } of page) {
        const hook = this.records.get(id);
        if (hook === undefined || signal.aborted) return;
        const action = actionOf(value);
        if (action === undefined || !hook.actions.includes(action) || !matches(hook.repository, value.repository))
          continue;
        await this.#deliver({ id, number, action, event: value }, signal);
        if (signal.aborted) return;
        this.cursors.put(id, { done: number });
      }
      this.cursors.put(id, { done: page.at(-1)?.number ?? after });
    }
  }

  async #deliver(
    what: { readonly id: string; readonly number: number; readonly action: HookAction; readonly event: RegistryEvent },
    signal: AbortSignal,
  ): Promise<void> {
    const { id, number, action, event } = what;
    const body = payloadOf(number, action, event);
    for (let attempts = 1; ; attempts += 1) {
      const hook = this.records.get(id);
      if (hook === undefined) return;
      const answer = await this.#send(hook, { number, action, body }, signal);
      if (signal.aborted) return;
      const isDelivered = /^2\d\d$/.test(answer);
      const { repository } = event;
      this.#note(id, number, { action, repository, at: this.#options.now(), attempts, isDelivered, answer });
      if (isDelivered || attempts >= HOOK_ATTEMPTS) return;
      await sleep(backoffDelayMs(attempts - 1, this.#options.backoff ?? HOOK_BACKOFF), undefined, { signal });
    }
  }

  /** The status of the answer, or what kept it from coming. */
  async #send(
    hook: HookRecord,
    what: { readonly number: number; readonly action: HookAction; readonly body: string },
    stop: AbortSignal,
  ): Promise<string> {
    const timestamp = Math.floor(this.#options.now() / 1000);
    const { body, action, number } = what;
    try {
      this.#client ??= openClient(this.#options.userAgent);
      const client = await this.#client;
      const reply = await client.send({
        method: 'POST',
        url: new URL(hook.url),
        headers: {
          'content-type': 'application/json',
          'x-wharf-event': action,
          'x-wharf-delivery': String(number),
          'x-wharf-timestamp': String(timestamp),
          'x-wharf-signature': signatureOf(hook.secret, timestamp, body),
        },
        body: Buffer.from(body),
        signal: AbortSignal.any([stop, AbortSignal.timeout(HOOK_TIMEOUT_MS)]),
      });
      // What it says beyond its status is nobody's concern, and may be endless.
      reply.body.on('error', () => {}).destroy();
      return String(reply.status);
    } catch (error) {
      return messageOf(error).slice(0, 300);
    }
  }

  #note(id: string, number: number, record: DeliveryRecord): void {
    this.deliveries.put(`${id}/${String(number).padStart(15, '0')}`, record);
    const all = this.deliveries.list(`${id}/`);
    for (const { key } of all.slice(0, Math.max(0, all.length - MAX_DELIVERIES))) this.deliveries.delete(key);
  }
}

/** Loaded when there is something to tell. */
async function openClient(userAgent: string): Promise<WebClient> {
  const { WebClient: Client } = await import('@wharf/wire/http/web-client');
  return new Client({ userAgent });
}
