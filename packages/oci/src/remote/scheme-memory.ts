import { SCHEME_MEMORY_MS } from './limits.ts';

/** Remembers for a while which insecure registries answered over plain HTTP, so that TLS is not tried each time. */
export class SchemeMemory {
  readonly #until = new Map<string, number>();

  isPlain(host: string): boolean {
    return (this.#until.get(host) ?? 0) > performance.now();
  }

  rememberPlain(host: string): void {
    if (this.#until.size > 1000) this.#until.clear();
    this.#until.set(host, performance.now() + SCHEME_MEMORY_MS);
  }
}
