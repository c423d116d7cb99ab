/** A place in the tree, from the inside out. */
export interface Place {
  readonly parent: Place | undefined;
  readonly key: string;
}

/** The place `key` below `parent`. */
export function placeOf(parent: Place | undefined, key: string): Place {
  return { parent, key };
}

/** The keys from the outside in. */
export function placeKeys(place: Place | undefined): string[] {
  const keys: string[] = [];
  for (let at = place; at !== undefined; at = at.parent) keys.push(at.key);
  return keys.reverse();
}

/** `services.web.ports`, as messages name it. */
export function placeText(place: Place | undefined): string {
  return placeKeys(place).join('.');
}

/** One step of a set of patterns; undefined steps mean that nothing below matches, so whole branches are skipped. */
export interface RuleStep<T> {
  rule?: T;
  readonly keys: Map<string, RuleStep<T>>;
  any?: RuleStep<T>;
}

/** Compiles patterns such as `services.*.build.args` (`*`: any key or list item). */
export function compileRules<T>(patterns: Readonly<Record<string, T>>): RuleStep<T> {
  const root: RuleStep<T> = { keys: new Map() };
  for (const [pattern, rule] of Object.entries(patterns)) {
    let step = root;
    for (const part of pattern.split('.')) step = child(step, part);
    step.rule = rule;
  }
  return root;
}

function child<T>(step: RuleStep<T>, part: string): RuleStep<T> {
  if (part === '*') {
    step.any ??= { keys: new Map() };
    return step.any;
  }
  const next: RuleStep<T> = step.keys.get(part) ?? { keys: new Map() };
  step.keys.set(part, next);
  return next;
}

/** The step below `step` for one key. */
export function stepInto<T>(step: RuleStep<T> | undefined, key: string): RuleStep<T> | undefined {
  return step === undefined ? undefined : (step.keys.get(key) ?? step.any);
}
