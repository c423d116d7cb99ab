/** What has been begun and has to be cleaned up by whoever began it: mounts, commands, scratch directories. */
export class UnderWay {
  readonly #works = new Set<Promise<void>>();

  /** Knows of a piece of work until it has ended, however it ends. */
  watch<T>(work: Promise<T>): Promise<T> {
    const ended: Promise<void> = work.then(
      () => this.#end(ended),
      () => this.#end(ended),
    );
    this.#works.add(ended);
    return work;
  }

  /** The same for what ends when the returned function is called. */
  begin(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    void this.watch(promise);
    return resolve;
  }

  #end(ended: Promise<void>): void {
    this.#works.delete(ended);
  }

  /** Resolves when all has ended, what comes meanwhile included; after a while also without it. */
  async ended(waitMs: number): Promise<void> {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), waitMs);
    try {
      while (this.#works.size > 0) {
        if ((await Promise.race([Promise.all(this.#works), late.promise])) === 'late') return;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
