import { compileRules, type Place, placeOf, placeText, type RuleStep, stepInto } from './path-rules.ts';
import { Problem } from './problem.ts';
import { byCodePoint, type Dict, dict, goString, goType, isDict, sameValue, type Value } from './values.ts';

type Merge = (base: Value, over: Value, place: Place, step: RuleStep<Merge>) => Value;

const MERGES = compileRules<Merge>({
  'networks.*.ipam.config': ipamConfig,
  'networks.*.labels': toSequence,
  'volumes.*.labels': toSequence,
  'services.*.annotations': toSequence,
  'services.*.build': (base, over, place, step) => mergeMappings(buildForm(base), buildForm(over), place, step),
  'services.*.build.args': toSequence,
  'services.*.build.additional_contexts': toSequence,
  'services.*.build.extra_hosts': extraHosts,
  'services.*.build.labels': toSequence,
  'services.*.command': replace,
  'services.*.depends_on': (base, over, place, step) =>
    mergeMappings(namesForm(base, startedDependency), namesForm(over, startedDependency), place, step),
  'services.*.deploy.labels': toSequence,
  'services.*.dns': toSequence,
  'services.*.dns_opt': toSequence,
  'services.*.dns_search': toSequence,
  'services.*.entrypoint': replace,
  'services.*.env_file': toSequence,
  'services.*.label_file': toSequence,
  'services.*.environment': toSequence,
  'services.*.extra_hosts': extraHosts,
  'services.*.healthcheck.test': replace,
  'services.*.labels': toSequence,
  'services.*.volumes.*.volume.labels': toSequence,
  'services.*.logging': logging,
  'services.*.models': (base, over, place, step) => mergeMappings(namesForm(base), namesForm(over), place, step),
  'services.*.networks': (base, over, place, step) => mergeMappings(namesForm(base), namesForm(over), place, step),
  'services.*.sysctls': toSequence,
  'services.*.tmpfs': toSequence,
  'services.*.ulimits.*': replace,
});

/**
 * Lays one document over another (Compose specification, "Merge"): mappings are merged, lists appended, single values
 * replaced; some attributes have rules of their own. Both are used up. Throws a `Problem` (`cannot override …`).
 */
export function mergeDocuments(base: Dict, over: Dict): Dict {
  return mergeMappings(base, over, undefined, MERGES);
}

/** The same for one service over the one it extends. */
export function mergeService(base: Dict, over: Dict, name: string): Dict {
  const place = placeOf(placeOf(undefined, 'services'), name);
  return mergeMappings(base, over, place, stepInto(stepInto(MERGES, 'services'), name));
}

function mergeMappings(base: Dict, over: Dict, place: Place | undefined, step: RuleStep<Merge> | undefined): Dict {
  for (const key of Object.keys(over)) {
    const value = over[key] ?? null;
    const before = base[key];
    base[key] =
      key in base && before !== undefined
        ? mergeValues(before, value, placeOf(place, key), stepInto(step, key))
        : value;
  }
  return base;
}

function mergeValues(base: Value, over: Value, place: Place, step: RuleStep<Merge> | undefined): Value {
  if (step?.rule !== undefined) return step.rule(base, over, place, step);
  if (over === null) return base;
  if (isDict(base))
    return mergeMappings(base, isDict(over) ? over : cannotOverride(over, place, 'a mapping'), place, step);
  if (!Array.isArray(base)) return over;
  return base.concat(Array.isArray(over) ? over : cannotOverride(over, place, 'a list'));
}

function cannotOverride(over: Value, place: Place, wanted: string): never {
  throw new Problem(`cannot override ${placeText(place)}`, {
    place,
    suggestion: `an earlier file has ${wanted} here and this one ${goType(over)}; "!override" replaces it`,
  });
}

function replace(_base: Value, over: Value): Value {
  return over;
}

function toSequence(base: Value, over: Value): Value {
  return sequenceForm(base).concat(sequenceForm(over));
}

function extraHosts(base: Value, over: Value): Value {
  const hosts = sequenceForm(base);
  return hosts.concat(sequenceForm(over).filter((host) => !hosts.some((known) => sameValue(known, host))));
}

/** Options of one driver mean nothing to another. */
function logging(base: Value, over: Value, place: Place, step: RuleStep<Merge>): Value {
  if (!isDict(base) || !isDict(over)) return over ?? base;
  const other = 'driver' in base && 'driver' in over && base['driver'] !== over['driver'];
  return other ? over : mergeMappings(base, over, place, step);
}

function ipamConfig(base: Value, over: Value, place: Place, step: RuleStep<Merge>): Value {
  if (!Array.isArray(base) || !Array.isArray(over))
    throw new Problem(`${placeText(place)}: unexpected type ${goType(base)}`, { place });
  const pools: Dict[] = [];
  const poolOf = (subnet: Value | undefined): number => pools.findIndex((pool) => pool['subnet'] === subnet);
  for (const original of base) {
    const first = namesForm(original);
    for (const override of over) {
      const second = namesForm(override);
      if (second['subnet'] !== first['subnet'] && poolOf(second['subnet']) === -1) {
        pools.push(second);
        continue;
      }
      const merged = mergeMappings(first, second, place, step);
      const known = poolOf(merged['subnet']);
      if (known === -1) pools.push(merged);
      else pools[known] = merged;
    }
  }
  return pools;
}

function buildForm(value: Value): Dict {
  if (isDict(value)) return value;
  return typeof value === 'string' ? dict({ context: value }) : dict();
}

function startedDependency(): Value {
  return dict({ condition: 'service_started', required: true });
}

/** A list of names as a mapping. */
function namesForm(value: Value, entry: () => Value = () => null): Dict {
  if (isDict(value)) return value;
  const mapping = dict();
  if (Array.isArray(value)) for (const name of value) mapping[goString(name)] = entry();
  return mapping;
}

/** A mapping as a sorted list of `key=value`. */
function sequenceForm(value: Value): Value[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [value];
  if (!isDict(value)) return [];
  const items: string[] = [];
  for (const key of Object.keys(value)) {
    const item = value[key] ?? null;
    if (item === null) items.push(key);
    else if (Array.isArray(item)) for (const each of item) items.push(`${key}=${goString(each)}`);
    else items.push(`${key}=${goString(item)}`);
  }
  return items.sort(byCodePoint);
}
