import { messageOf } from '@wharf/kit/errors';
import { Semaphore } from '@wharf/kit/semaphore';
import { ExitError } from '../cli/errors.ts';
import type { Output } from '../cli/output.ts';

/** How many requests go out at a time. */
const PARALLEL = 50;

/** Collects what fails, so that the others are not kept from their turn. */
export class Failures {
  readonly #messages: string[] = [];

  add(error: unknown): void {
    this.#messages.push(messageOf(error));
  }

  /** Throws all of them as one, each on a line of its own. */
  throwIfAny(): void {
    if (this.#messages.length > 0) throw new ExitError(1, this.#messages.join('\n'));
  }
}

interface Many {
  readonly names: readonly string[];
  readonly out: Pick<Output, 'line'>;
  readonly act: (name: string) => Promise<unknown>;
  /** True for an error that is said elsewhere. */
  readonly forgive?: (error: unknown) => boolean;
}

/**
 * Does one thing with many containers at once. Prints the names for which it worked, in the order given, each as soon as those before it
 * are settled; throws the failures of the others at the end.
 */
export async function forEachContainer({ names, out, act, forgive }: Many): Promise<void> {
  const failures = new Failures();
  const gate = new Semaphore(PARALLEL);
  const running = names.map((name) => gate.run(() => act(name)));
  // Each is looked at in its turn below.
  for (const one of running) one.catch(() => undefined);
  for (const [index, name] of names.entries()) {
    try {
      await running[index];
      out.line(name);
    } catch (error) {
      if (forgive?.(error) !== true) failures.add(error);
    }
  }
  failures.throwIfAny();
}
