import { compileRules, type Place, placeOf, placeText, type RuleStep, stepInto } from './path-rules.ts';
import { parsePortSpec } from './port-spec.ts';
import { Problem } from './problem.ts';
import { type Dict, dict, goString, goType, isDict, type Value } from './values.ts';
import { parseVolumeSpec, VOLUME_FORMS } from './volume-spec.ts';

interface CanonicalOptions {
  /** Keeps short forms that cannot be read: without interpolation they still hold variables. */
  readonly lenient: boolean;
  readonly warn: (message: string) => void;
}

type Transform = (value: Value, place: Place, walk: CanonicalWalk) => Value;

const TRANSFORMS = compileRules<Transform>({
  'services.*': (value, place, walk) => (isDict(value) ? walk.below(value, place) : value),
  'services.*.build': build,
  'services.*.build.secrets.*': fileMount,
  'services.*.build.provenance': (value) => (typeof value === 'string' ? value : goString(value)),
  'services.*.build.sbom': (value) => (typeof value === 'string' ? value : goString(value)),
  'services.*.build.additional_contexts': keyValue,
  'services.*.build.ssh': ssh,
  'services.*.build.ulimits.*': ulimit,
  'services.*.build.no_cache_filter': textOrList,
  'services.*.configs.*': fileMount,
  'services.*.depends_on': dependsOn,
  'services.*.develop.watch.*.ignore': textOrList,
  'services.*.develop.watch.*.include': textOrList,
  'services.*.devices.*': device,
  'services.*.dns': textOrList,
  'services.*.env_file': envFile,
  'services.*.extends': extendsForm,
  'services.*.gpus': gpus,
  'services.*.label_file': textOrList,
  'services.*.models': namesToMapping,
  'services.*.networks': namesToMapping,
  'services.*.ports': ports,
  'services.*.secrets.*': fileMount,
  'services.*.ulimits.*': ulimit,
  'services.*.volumes.*': volumeMount,
  'volumes.*': maybeExternal,
  'networks.*': maybeExternal,
  'secrets.*': maybeExternal,
  'configs.*': maybeExternal,
  'include.*': (value, place) => {
    if (isDict(value)) return value;
    return typeof value === 'string' ? dict({ path: value }) : refuse(value, place, 'external');
  },
});

/** Writes every short form of a document as the long one, in place. Throws a `Problem` in compose's words. */
export function canonicalize(document: Dict, options: CanonicalOptions): void {
  new CanonicalWalk(options).below(document, undefined, TRANSFORMS);
}

class CanonicalWalk {
  readonly options: CanonicalOptions;
  #step: RuleStep<Transform> | undefined;

  constructor(options: CanonicalOptions) {
    this.options = options;
  }

  /** Transforms what is inside a mapping or a list. */
  below<T extends Value>(value: T, place: Place | undefined, step = this.#step): T {
    if (step === undefined) return value;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries())
        value[index] = this.#one(item, placeOf(place, String(index)), stepInto(step, '[]'));
    } else if (isDict(value)) {
      for (const key of Object.keys(value))
        value[key] = this.#one(value[key] ?? null, placeOf(place, key), stepInto(step, key));
    }
    return value;
  }

  #one(value: Value, place: Place, step: RuleStep<Transform> | undefined): Value {
    if (step === undefined) return value;
    const before = this.#step;
    this.#step = step;
    const result = step.rule === undefined ? this.below(value, place) : step.rule(value, place, this);
    this.#step = before;
    return result;
  }
}

function refuse(value: Value, place: Place, what: string): never {
  throw new Problem(`${placeText(place)}: invalid type ${goType(value)} for ${what}`, { place });
}

function textOrList(value: Value): Value {
  return typeof value === 'string' ? [value] : value;
}

function build(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (isDict(value)) return walk.below(value, place);
  return typeof value === 'string' ? dict({ context: value }) : refuse(value, place, 'build');
}

function extendsForm(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (isDict(value)) return walk.below(value, place);
  return typeof value === 'string' ? dict({ service: value }) : refuse(value, place, 'extends');
}

function fileMount(value: Value, place: Place): Value {
  if (isDict(value)) return value;
  if (typeof value === 'string') return dict({ source: value });
  throw new Problem(`${placeText(place)}: unsupported type ${goType(value)}`, { place });
}

function keyValue(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (isDict(value)) return value;
  if (!Array.isArray(value)) throw new Problem(`${placeText(place)}: invalid type ${goType(value)}`, { place });
  const mapping = dict();
  for (const item of value) {
    const [key, rest] = cut(goString(item), '=');
    if (rest === undefined) {
      if (walk.options.lenient) return value;
      throw new Problem(`${placeText(place)}: invalid value ${goString(item)}, expected key=value`, { place });
    }
    mapping[key] = rest;
  }
  return mapping;
}

function ssh(value: Value, place: Place): Value {
  if (isDict(value)) return value;
  if (!Array.isArray(value)) refuse(value, place, 'ssh');
  const keys = dict();
  for (const item of value) {
    if (typeof item !== 'string') throw new Problem(`invalid ssh key type ${goType(item)}`, { place });
    const [id, path] = cut(item, '=');
    if (path === undefined && id !== 'default') throw new Problem(`invalid ssh key ${JSON.stringify(item)}`, { place });
    keys[id] = path ?? null;
  }
  return keys;
}

function ulimit(value: Value, place: Place): Value {
  return isDict(value) || typeof value === 'number' ? value : refuse(value, place, 'external');
}

function dependsOn(value: Value, place: Place): Value {
  if (Array.isArray(value)) {
    const mapping = dict();
    for (const name of value) mapping[goString(name)] = dict({ condition: 'service_started', required: true });
    return mapping;
  }
  if (!isDict(value)) refuse(value, place, 'depend_on');
  for (const name of Object.keys(value)) {
    const dependency = value[name] ?? null;
    if (!isDict(dependency))
      throw new Problem(`${placeText(place)}.${name}: unsupported value ${goString(value)}`, {
        place: placeOf(place, name),
      });
    dependency['condition'] ??= 'service_started';
    dependency['required'] ??= true;
  }
  return value;
}

function device(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (isDict(value)) return value;
  if (typeof value !== 'string') refuse(value, place, 'service volume mount');
  const parts = value.split(':');
  if (parts.length > 3) {
    if (!walk.options.lenient)
      throw new Problem(`confusing device mapping, please use long syntax: ${value}`, { place });
    return dict({ source: '', target: '', permissions: 'rwm' });
  }
  const [source = '', target = '', permissions = 'rwm'] = parts;
  return dict({ source, target: target === '' ? source : target, permissions });
}

function envFile(value: Value, place: Place): Value {
  const one = (item: Value): Value => {
    if (typeof item === 'string') return dict({ path: item, required: true });
    if (!isDict(item)) return null;
    item['required'] ??= true;
    return item;
  };
  if (typeof value === 'string') return [one(value)];
  return Array.isArray(value) ? value.map(one) : refuse(value, place, 'env_file');
}

function gpus(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (Array.isArray(value)) return walk.below(value, place);
  return typeof value === 'string' ? [dict({ count: 'all' })] : refuse(value, place, 'gpus');
}

function namesToMapping(value: Value): Value {
  if (!Array.isArray(value)) return value;
  const mapping = dict();
  for (const name of value) mapping[goString(name)] = null;
  return mapping;
}

function ports(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (!Array.isArray(value)) refuse(value, place, 'port');
  const found: Value[] = [];
  for (const [index, item] of value.entries()) {
    if (isDict(item)) {
      found.push(item);
      continue;
    }
    if (typeof item !== 'string' && typeof item !== 'number') refuse(item, place, 'port');
    try {
      found.push(...parsePortSpec(String(item)));
    } catch (error) {
      if (walk.options.lenient) return value;
      throw shortFormProblem(
        error,
        placeOf(place, String(index)),
        'a port is "8080:80", "127.0.0.1:8080:80/tcp" or a range',
      );
    }
  }
  return found;
}

function volumeMount(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (isDict(value)) return value;
  if (typeof value !== 'string') refuse(value, place, 'service volume mount');
  try {
    return parseVolumeSpec(value);
  } catch (error) {
    if (walk.options.lenient) return value;
    throw shortFormProblem(error, place, VOLUME_FORMS);
  }
}

function shortFormProblem(error: unknown, place: Place, suggestion: string): Problem {
  return new Problem(error instanceof Error ? error.message : String(error), { place, suggestion });
}

function maybeExternal(value: Value, place: Place, walk: CanonicalWalk): Value {
  if (!isDict(value)) return value;
  const resource = walk.below(value, place);
  const external = resource['external'];
  if (!isDict(external)) return resource;
  resource['external'] = true;
  const name = external['name'];
  if (name === undefined) return resource;
  walk.options.warn(`${placeText(place)}: external.name is deprecated. Please set name and external: true`);
  if (resource['name'] !== undefined && resource['name'] !== name)
    throw new Problem(`${placeText(place)}: name and external.name conflict; only use name`, { place });
  resource['name'] = name;
  return resource;
}

/** Go's `strings.Cut`; without the separator the second part is undefined. */
function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
