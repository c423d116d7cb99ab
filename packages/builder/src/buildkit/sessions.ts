import type { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { GrpcClient } from '@wharf/wire/grpc/client';

/** How long a build waits for the session it names. */
const SESSION_WAIT_MS = 5000;

/** A client that lends its files, secrets and credentials to builds for as long as its connection stands. */
export interface Session {
  readonly id: string;
  readonly client: Pick<GrpcClient, 'unary' | 'open'>;
  /** Paths of the methods it serves. */
  readonly methods: ReadonlySet<string>;
  /** The same for sessions of one client that send the same directories; empty when it says nothing. */
  readonly sharedKey: string;
}

/** The sessions that are open now. A build and its session come on connections of their own, in either order. */
export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #waiting = new Map<string, Set<(session: Session) => void>>();
  /** Told when a session has ended. */
  readonly #told = new Map<string, Set<() => void>>();

  /** Takes a connection on which we are the client from now on. Resolves when it has ended. */
  async serve(
    id: string,
    offer: { readonly methods: readonly string[]; readonly sharedKey: string },
    stream: Duplex,
  ): Promise<void> {
    const client = new GrpcClient(stream);
    using _open = this.add({ id, client, methods: new Set(offer.methods), sharedKey: offer.sharedKey });
    await client.closed;
  }

  /** Makes a session known until it is disposed of. */
  add(session: Session): Disposable {
    const { id } = session;
    this.#open.set(id, session);
    for (const tell of this.#waiting.get(id) ?? []) tell(session);
    this.#waiting.delete(id);
    return {
      [Symbol.dispose]: () => {
        if (this.#open.get(id) !== session) return;
        this.#open.delete(id);
        for (const tell of this.#told.get(id) ?? []) tell();
        this.#told.delete(id);
      },
    };
  }

  /** Calls back when no session of that id is open any more, unless the signal aborts before. */
  onceGone(id: string, signal: AbortSignal, tell: () => void): void {
    if (!this.#open.has(id)) {
      tell();
      return;
    }
    const waiting = this.#told.get(id) ?? new Set();
    this.#told.set(id, waiting);
    waiting.add(tell);
    signal.addEventListener('abort', () => waiting.delete(tell), { once: true });
  }

  /** Throws `not-found` when no session of that id has come in time. */
  get(id: string): Promise<Session> {
    const open = this.#open.get(id);
    if (open !== undefined) return Promise.resolve(open);
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(resolve);
        if (waiting.size === 0) this.#waiting.delete(id);
        reject(new WharfError('not-found', `no active session for ${id}: context deadline exceeded`));
      }, SESSION_WAIT_MS);
      waiting.add((session) => {
        clearTimeout(timer);
        resolve(session);
      });
    });
  }
}
