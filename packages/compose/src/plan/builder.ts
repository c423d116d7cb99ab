import type { ContainerRef, Plan, Step, StepBody } from './steps.ts';

/** Collects steps. Each may need only what was added before: the list is in a possible order by construction. */
export class PlanBuilder {
  readonly #steps: Step[] = [];
  readonly #ids = new Set<string>();
  readonly #warnings: string[] = [];
  readonly #unchanged: ContainerRef[] = [];

  /** Adds a step and answers its id. */
  add(name: string, reason: string, needs: readonly string[], body: StepBody): string {
    let id = name;
    for (let copy = 2; this.#ids.has(id); copy++) id = `${name} (${copy})`;
    const known = [...new Set(needs)];
    const unknown = known.find((need) => !this.#ids.has(need));
    if (unknown !== undefined) throw new Error(`step "${id}" needs "${unknown}", which is not planned before it`);
    this.#ids.add(id);
    this.#steps.push({ ...body, id, reason, needs: known });
    return id;
  }

  warn(message: string): void {
    this.#warnings.push(message);
  }

  /** Notes a container that runs and is left alone. */
  leave(container: ContainerRef): void {
    this.#unchanged.push(container);
  }

  plan(): Plan {
    const images = { pull: [], build: [] };
    return { images, steps: this.#steps, warnings: this.#warnings, unchanged: this.#unchanged };
  }
}
