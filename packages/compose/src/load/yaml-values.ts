import { LIMITS } from './limits.ts';
import { type Place, placeKeys, placeOf } from './path-rules.ts';
import { Problem } from './problem.ts';
import { dict, Float, goString, isDict, type Value } from './values.ts';
import {
  positionOf,
  type YamlAlias,
  type YamlFile,
  type YamlMapping,
  type YamlNode,
  type YamlScalar,
} from './yaml-nodes.ts';
import { resolvePlain } from './yaml-scalars.ts';

/** A document as a tree of values, and the places its `!reset` and `!override` tags stand at. */
export interface YamlDocument {
  readonly value: Value;
  /** What earlier files say there is forgotten before this document is laid over them. */
  readonly resets: readonly (readonly string[])[];
}

/** Reads one document of a file: aliases written out, `<<` merged, `!reset` left out. Duplicate keys are refused. */
export function documentValue(file: YamlFile, document: YamlNode): YamlDocument {
  const reader = new ValueReader(file);
  const value = reader.read(document, undefined);
  return { value: value === RESET ? null : value, resets: reader.resets };
}

/** What a node with `!reset` becomes: nothing at all. */
const RESET = Symbol('reset');

class ValueReader {
  readonly resets: (readonly string[])[] = [];
  readonly #file: YamlFile;
  /** Anchored nodes being written out, so that one that contains itself is noticed. */
  readonly #open = new Set<YamlNode>();
  #count = 0;

  constructor(file: YamlFile) {
    this.#file = file;
  }

  read(node: YamlNode, place: Place | undefined): Value | typeof RESET {
    this.#count += 1;
    if (this.#count > LIMITS.documentValues) throw this.#problem('yaml: document contains excessive aliasing', node);
    if (node.kind === 'alias') return this.#alias(node, place);
    if (node.tag === '!reset' || node.tag === '!override') this.#mark(place);
    if (node.tag === '!reset') return RESET;
    if (node.kind === 'scalar') return this.#scalar(node);
    this.#open.add(node);
    const value = node.kind === 'sequence' ? this.#sequence(node.items, place) : this.#mapping(node, place);
    this.#open.delete(node);
    return value;
  }

  #alias(node: YamlAlias, place: Place | undefined): Value | typeof RESET {
    if (this.#open.has(node.target))
      throw this.#problem(`yaml: anchor '${node.name}' value contains itself`, node, place);
    return this.read(node.target, place);
  }

  #mark(place: Place | undefined): void {
    this.resets.push(placeKeys(place).filter((key) => key !== '<<'));
  }

  #scalar(node: YamlScalar): Value {
    switch (node.tag) {
      case '':
        return node.plain ? resolvePlain(node.text) : node.text;
      case '!!int':
      case '!!float':
      case '!!bool':
      case '!!null':
        return this.#tagged(node);
      default:
        return node.text;
    }
  }

  #tagged(node: YamlScalar): Value {
    const value = resolvePlain(node.text);
    const found = typeof value === 'number' || typeof value === 'bigint' ? '!!int' : tagOf(value);
    if (found === node.tag) return value;
    if (node.tag === '!!float' && found === '!!int') return new Float(Number(value));
    throw this.#problem(`yaml: cannot decode ${found} \`${node.text}\` as a ${node.tag}`, node);
  }

  #sequence(items: readonly YamlNode[], place: Place | undefined): Value[] {
    const values: Value[] = [];
    for (const [index, item] of items.entries()) {
      const value = this.read(item, placeOf(place, String(index)));
      if (value !== RESET) values.push(value);
    }
    return values;
  }

  #mapping(node: YamlMapping, place: Place | undefined): Value {
    const result = dict();
    const seen = new Map<string, YamlNode>();
    let merged: { value: Value; node: YamlNode } | undefined;
    for (const { key, value } of node.entries) {
      const name = this.#key(key, place);
      this.#refuseDuplicate(seen, name, key, place);
      const read = this.read(value, placeOf(place, name));
      if (read === RESET) continue;
      if (name === '<<' && isMergeKey(key)) merged = { value: read, node: value };
      else result[name] = read;
    }
    if (merged !== undefined) this.#merge(result, merged);
    return result;
  }

  #key(key: YamlNode, place: Place | undefined): string {
    const scalar = key.kind === 'alias' ? key.target : key;
    const value = scalar.kind === 'scalar' ? this.#scalar(scalar) : undefined;
    if (typeof value === 'string') return value;
    const where = place === undefined ? 'at top level' : `in ${placeText(place)}`;
    const shown = value === undefined ? (scalar.kind === 'sequence' ? '[]' : '{}') : goString(value);
    throw this.#problem(`non-string key ${where}: ${shown}`, key, place, `put the key in quotes: "${shown}"`);
  }

  #refuseDuplicate(seen: Map<string, YamlNode>, name: string, key: YamlNode, place: Place | undefined): void {
    const before = seen.get(name);
    seen.set(name, key);
    if (before === undefined) return;
    const line = positionOf(this.#file, key.offset).line;
    const first = positionOf(this.#file, before.offset).line;
    const what = `line ${line}: mapping key ${JSON.stringify(name)} already defined at line ${first}`;
    // At the top compose meets it on another way than below.
    const message =
      place === undefined ? `yaml: unmarshal errors:\n  ${what}` : `failed to parse ${this.#file.name}: ${what}`;
    throw this.#problem(message, key, undefined, 'keep one of the two');
  }

  /** Keys of the mapping itself win over merged ones, and earlier ones of a list over later ones. */
  #merge(result: { [key: string]: Value }, merged: { value: Value; node: YamlNode }): void {
    const sources = Array.isArray(merged.value) ? merged.value : [merged.value];
    for (const source of sources) {
      if (!isDict(source))
        throw this.#problem('yaml: map merge requires map or sequence of maps as the value', merged.node);
      for (const key of Object.keys(source)) if (!(key in result)) result[key] = source[key] ?? null;
    }
  }

  #problem(message: string, node: YamlNode, place?: Place, suggestion?: string): Problem {
    return new Problem(message, { place, suggestion, at: positionOf(this.#file, node.offset) });
  }
}

/** Lists count in brackets where a key is at fault: `services.web.ports[0]`. */
function placeText(place: Place): string {
  return placeKeys(place)
    .map((key, index) => (index > 0 && /^\d+$/.test(key) ? `[${key}]` : `${index > 0 ? '.' : ''}${key}`))
    .join('');
}

function isMergeKey(key: YamlNode): boolean {
  return key.kind === 'scalar' && key.plain && (key.tag === '' || key.tag === '!' || key.tag === '!!merge');
}

function tagOf(value: Value): string {
  if (value === null) return '!!null';
  if (typeof value === 'boolean') return '!!bool';
  return value instanceof Float ? '!!float' : '!!str';
}
