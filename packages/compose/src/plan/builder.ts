import type { Plan, Step, StepBody } from './steps.ts';

/** Collects steps. Each may need only what was added before: the list is in a possible order by construction. */
export class PlanBuilder {
  readonly #steps: Step[] = [];
  readonly #ids = new Set<string>();
  readonly #warnings: string[] = [];

  /** Adds a step and answers its id. */
  add(name: string, reason: string, needs: readonly string[], body: StepBody): string {
    let id = name;
    for (let copy = 2; this.#ids.has(id); copy++) id = `${name} (${copy})`;
    const known = [...new Set(needs)];
    const unknown = known.find((need) => !this.#ids.has(need));
    if (unknown !== undefined) throw new Error(`step "${id}" needs "${unknown}", which is not planned before it`);
    this.#ids.add(id);
    this.#steps.push({ id, reason, needs: known, ...body });
    return id;
  }

  warn(message: string): void {
    this.#warnings.push(message);
  }

  plan(): Plan {
    return { images: { pull: [], build: [] }, steps: this.#steps, warnings: this.#warnings };
  }
}
