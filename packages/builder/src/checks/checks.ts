import { DockerfileError, type LineRange } from '../dockerfile/location.ts';
import { type CheckOptions, withRemarks } from './check-options.ts';
import { type Rule, type RuleName, ruleOf } from './rules.ts';

/** A rule that a Dockerfile breaks, and where. */
export interface Finding {
  readonly rule: Rule;
  /** What is wrong, in the rule's words. */
  readonly detail: string;
  readonly location: LineRange;
}

/** The most findings of a part of a file; who has so many has seen enough. */
const MAX_FINDINGS = 1000;

/** Takes the findings of one Dockerfile. What is skipped never comes in. */
export class Checks {
  readonly #options: CheckOptions;
  readonly #found: (Finding | Checks)[];

  constructor(options: CheckOptions, found: (Finding | Checks)[] = []) {
    this.#options = options;
    this.#found = found;
  }

  report(name: RuleName, location: LineRange, detail: string): void {
    const { skip, experimental } = this.#options;
    const rule = ruleOf(name);
    // An experimental rule has a switch of its own, and `skip` does not touch it.
    const runs = rule.experimental ? has(experimental, name) : !has(skip, name);
    if (runs && this.#found.length < MAX_FINDINGS) this.#found.push({ rule, detail, location });
  }

  /** The same checks as far as the remarks above an instruction leave them on. */
  for(remarks: readonly string[]): Checks {
    return remarks.length === 0 ? this : new Checks(withRemarks(this.#options, remarks), this.#found);
  }

  /** A part of the file; its findings come where it was begun, whatever is reported meanwhile. */
  part(): Checks {
    const part = new Checks(this.#options);
    this.#found.push(part);
    return part;
  }

  get findings(): readonly Finding[] {
    return this.#found.flatMap((found) => (found instanceof Checks ? found.findings : [found]));
  }

  /** Throws a DockerfileError when there are findings and `error=true` makes them one. */
  assertClean(): void {
    const { findings } = this;
    if (!this.#options.error || findings.length === 0) return;
    const rules = new Set(findings.map(({ rule }) => rule.name));
    throw new DockerfileError(`lint violation found for rules: ${[...rules].join(', ')}`);
  }
}

/** `Rule: what is wrong (line 3)`, as a line of progress shows it. */
export function formatFinding({ rule, detail, location }: Finding): string {
  return `${rule.name}: ${detail}${location.start > 0 ? ` (line ${location.start})` : ''}`;
}

function has(names: CheckOptions['skip'], name: string): boolean {
  return names === 'all' || names.has(name);
}
