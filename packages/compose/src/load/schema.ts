import { nearest } from './problem.ts';
import { type Dict, Float, isDict, sameValue, Timestamp, type Value } from './values.ts';

export type JsonType = 'null' | 'boolean' | 'number' | 'integer' | 'string' | 'array' | 'object';

/** What a value has to be: the part of JSON Schema that the Compose specification uses. */
export interface Rule {
  readonly types?: readonly JsonType[];
  readonly oneOf?: readonly Rule[];
  readonly enum?: readonly string[];
  readonly pattern?: RegExp;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Rule>>;
  /** Keys that match have to be like that. */
  readonly patterns?: readonly (readonly [RegExp, Rule])[];
  /** Other keys are refused. */
  readonly closed?: boolean;
  readonly required?: readonly string[];
  readonly items?: Rule;
  readonly unique?: boolean;
}

/** One thing that is wrong. */
export interface Violation {
  readonly keys: readonly string[];
  readonly message: string;
  /** How deep it lies; the deepest is what the writer most likely meant. */
  readonly depth: number;
  readonly suggestion?: string | undefined;
}

/** Checks a value; the deepest violation, the first of several, or undefined. */
export function findViolation(value: Value, rule: Rule): Violation | undefined {
  const found = new Checker().check(value, rule, []);
  let deepest: Violation | undefined;
  for (const violation of found) if (violation.depth > (deepest?.depth ?? -1)) deepest = violation;
  return deepest;
}

const NONE: readonly Violation[] = [];

class Checker {
  check(value: Value, rule: Rule, keys: readonly string[]): readonly Violation[] {
    if (value instanceof Timestamp) return [violation(keys, 'invalid jsonType time.Time')];
    if (rule.types !== undefined && !rule.types.some((type) => isOfType(value, type)))
      return [violation(keys, `must be a ${typeWords(rule.types)}`, 0, typeSuggestion(value, rule.types))];
    if (rule.enum !== undefined && !(typeof value === 'string' && rule.enum.includes(value)))
      return [enumViolation(value, rule.enum, keys)];
    const found: Violation[] = [];
    if (isDict(value)) this.#object(value, rule, keys, found);
    else if (Array.isArray(value)) this.#array(value, rule, keys, found);
    else if (typeof value === 'string') checkText(value, rule, keys, found);
    else checkNumber(value, rule, keys, found);
    if (rule.oneOf !== undefined) this.#oneOf(value, rule.oneOf, keys, found);
    return found.length === 0 ? NONE : found;
  }

  #object(value: Dict, rule: Rule, keys: readonly string[], found: Violation[]): void {
    const missing = rule.required?.filter((key) => !(key in value)) ?? [];
    if (missing.length > 0) found.push(violation(keys, missingText(missing)));
    const unknown: string[] = [];
    for (const key of Object.keys(value)) {
      const below = value[key] ?? null;
      let known = false;
      const property = rule.properties?.[key];
      if (property !== undefined && Object.hasOwn(rule.properties ?? {}, key)) {
        known = true;
        for (const each of this.check(below, property, [...keys, key])) found.push(each);
      }
      for (const [pattern, patternRule] of rule.patterns ?? []) {
        if (!pattern.test(key)) continue;
        known = true;
        for (const each of this.check(below, patternRule, [...keys, key])) found.push(each);
      }
      if (!known && rule.closed === true) unknown.push(key);
    }
    if (unknown.length > 0) found.push(unknownKeys(unknown, rule, keys));
  }

  #array(value: readonly Value[], rule: Rule, keys: readonly string[], found: Violation[]): void {
    if (rule.unique === true) {
      const pair = findDuplicate(value);
      if (pair !== undefined) found.push(violation(keys, `items at ${pair[0]} and ${pair[1]} are equal`));
    }
    const items = rule.items;
    if (items === undefined) return;
    for (const [index, item] of value.entries())
      for (const each of this.check(item, items, [...keys, String(index)])) found.push(each);
  }

  #oneOf(value: Value, rules: readonly Rule[], keys: readonly string[], found: Violation[]): void {
    const causes: Violation[] = [];
    const matched: number[] = [];
    for (const [index, rule] of rules.entries()) {
      const violations = this.check(value, rule, keys);
      if (violations.length === 0) matched.push(index);
      else causes.push(...violations);
      if (matched.length === 2) break;
    }
    if (matched.length === 0) found.push(...causes);
    if (matched.length === 2)
      found.push(violation(keys, `oneOf failed, subschemas ${matched[0]}, ${matched[1]} matched`));
  }
}

function violation(keys: readonly string[], text: string, extra = 0, suggestion?: string): Violation {
  return { keys, message: `${keys.join('.')} ${text}`, depth: keys.length + extra, suggestion };
}

function isOfType(value: Value, type: JsonType): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isDict(value);
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' || value instanceof Float;
    case 'integer':
      return (
        typeof value === 'number' ||
        typeof value === 'bigint' ||
        (value instanceof Float && Number.isInteger(value.value))
      );
  }
}

function typeWords(types: readonly JsonType[]): string {
  const words = types.map((type) => (type === 'object' ? 'mapping' : type)).sort();
  const last = words.pop() ?? '';
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`;
}

function typeSuggestion(value: Value, types: readonly JsonType[]): string | undefined {
  if (types.includes('object') && Array.isArray(value)) return 'write "name:" lines instead of "- " items';
  if (types.includes('array') && !Array.isArray(value))
    return 'write a list: each item on a line that begins with "- "';
  if (types.includes('string') && value !== null && typeof value !== 'object')
    return `put it in quotes: "${String(value)}"`;
  return value === null ? 'write a value after the colon, or leave the line out' : undefined;
}

function enumViolation(value: Value, allowed: readonly string[], keys: readonly string[]): Violation {
  const words = allowed.map(quote);
  const text = words.length === 1 ? `value must be ${words[0]}` : `value must be one of ${words.join(', ')}`;
  const near = typeof value === 'string' ? nearest(value, allowed) : undefined;
  return violation(keys, text, 0, near === undefined ? undefined : `did you mean "${near}"?`);
}

function checkText(value: string, rule: Rule, keys: readonly string[], found: Violation[]): void {
  if (rule.pattern !== undefined && !rule.pattern.test(value))
    found.push(violation(keys, `${quote(value)} does not match pattern ${quote(rule.pattern.source)}`));
}

function checkNumber(value: Value, rule: Rule, keys: readonly string[], found: Violation[]): void {
  if (rule.minimum === undefined && rule.maximum === undefined) return;
  const number = value instanceof Float ? value.value : Number(value);
  if (rule.minimum !== undefined && number < rule.minimum)
    found.push(violation(keys, `must be greater than or equal to ${rule.minimum}`));
  if (rule.maximum !== undefined && number > rule.maximum)
    found.push(violation(keys, `must be less than or equal to ${rule.maximum}`));
}

function missingText(missing: readonly string[]): string {
  const names = missing.map(quote).join(', ');
  return missing.length === 1 ? `missing property ${names}` : `missing properties ${names}`;
}

function unknownKeys(unknown: readonly string[], rule: Rule, keys: readonly string[]): Violation {
  const text = `additional properties ${unknown.map(quote).join(', ')} not allowed`;
  const near = nearest(unknown[0] ?? '', Object.keys(rule.properties ?? {}));
  const suggestion = near === undefined ? undefined : `did you mean "${near}"?`;
  return { ...violation(keys, text, 1, suggestion), keys: [...keys, unknown[0] ?? ''] };
}

function findDuplicate(items: readonly Value[]): readonly [number, number] | undefined {
  const texts = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    if (typeof item === 'string') {
      const before = texts.get(item);
      if (before !== undefined) return [before, index];
      texts.set(item, index);
      continue;
    }
    const before = items.findIndex((other, at) => at < index && sameItem(other, item));
    if (before !== -1) return [before, index];
  }
  return undefined;
}

function sameItem(a: Value, b: Value): boolean {
  const number = (value: Value): number | undefined =>
    value instanceof Float ? value.value : typeof value === 'number' ? value : undefined;
  const x = number(a);
  return x === undefined ? sameValue(a, b) : x === number(b);
}

function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
