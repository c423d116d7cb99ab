/** Builds that clients may end from another connection, by the ids they gave them (Engine API, "BuildCancel"). */
export class RunningBuilds {
  readonly #running = new Map<string, AbortController>();

  /** Runs a build under its id; none may end one without. */
  async run<T>(id: string, signal: AbortSignal, build: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (id === '') return build(signal);
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      return await build(AbortSignal.any([signal, controller.signal]));
    } finally {
      if (this.#running.get(id) === controller) this.#running.delete(id);
    }
  }

  /** Ends a build. One that is not there has ended. */
  cancel(id: string): void {
    this.#running.get(id)?.abort(new Error('context canceled'));
  }
}
