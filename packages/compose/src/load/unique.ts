import { compileRules, type Place, placeOf, placeText, type RuleStep, stepInto } from './path-rules.ts';
import { Problem } from './problem.ts';
import { type Dict, goString, goType, isDict, type Value } from './values.ts';
import { parseVolumeSpec, VOLUME_FORMS } from './volume-spec.ts';

/** What makes an item of a list the same as an earlier one. */
type KeyOf = (item: Value, place: Place) => string;

const KEYS = compileRules<KeyOf>({
  'networks.*.labels': beforeEquals,
  'networks.*.ipam.options': beforeEquals,
  'services.*.annotations': beforeEquals,
  'services.*.build.args': beforeEquals,
  'services.*.build.additional_contexts': beforeEquals,
  'services.*.build.platform': beforeEquals,
  'services.*.build.tags': beforeEquals,
  'services.*.build.labels': beforeEquals,
  'services.*.cap_add': beforeEquals,
  'services.*.cap_drop': beforeEquals,
  'services.*.configs': (item, place) => mountKey(item, place, ''),
  'services.*.deploy.labels': beforeEquals,
  'services.*.devices': deviceKey,
  'services.*.dns': beforeEquals,
  'services.*.dns_opt': beforeEquals,
  'services.*.dns_search': beforeEquals,
  'services.*.environment': beforeEquals,
  'services.*.env_file': envFileKey,
  'services.*.expose': exposeKey,
  'services.*.labels': beforeEquals,
  'services.*.links': beforeEquals,
  'services.*.networks.*.aliases': beforeEquals,
  'services.*.networks.*.link_local_ips': beforeEquals,
  'services.*.ports': portKey,
  'services.*.profiles': beforeEquals,
  'services.*.secrets': (item, place) => mountKey(item, place, '/run/secrets'),
  'services.*.sysctls': beforeEquals,
  'services.*.tmpfs': beforeEquals,
  'services.*.volumes': volumeKey,
});

/**
 * Where two items of a list are about the same thing (a variable, a target, a port), the later one takes the earlier
 * one's place. In place. Throws a `Problem`.
 */
export function keepUnique(document: Dict): void {
  walk(document, undefined, KEYS);
}

function walk(value: Dict, place: Place | undefined, step: RuleStep<KeyOf> | undefined): void {
  for (const key of Object.keys(value)) {
    const item = value[key] ?? null;
    const below = stepInto(step, key);
    if (below === undefined) continue;
    if (isDict(item)) walk(item, placeOf(place, key), below);
    else if (Array.isArray(item) && below.rule !== undefined)
      value[key] = uniqueItems(item, placeOf(place, key), below.rule);
  }
}

function uniqueItems(items: readonly Value[], place: Place, keyOf: KeyOf): Value[] {
  const kept: Value[] = [];
  const places = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item, placeOf(place, `[${index}]`));
    const before = places.get(key);
    if (before === undefined) {
      places.set(key, kept.length);
      kept.push(item);
    } else kept[before] = item;
  }
  return kept;
}

function beforeEquals(item: Value, place: Place): string {
  if (typeof item !== 'string') throw new Problem(`${placeText(place)}: unexpected type ${goType(item)}`, { place });
  const at = item.indexOf('=');
  return at === -1 ? item : item.slice(0, at);
}

function volumeKey(item: Value, place: Place): string {
  if (isDict(item)) return targetOf(item, `service volume ${placeText(place)} is missing a mount target`, place);
  if (typeof item !== 'string') return '';
  try {
    return goString(parseVolumeSpec(item)['target'] ?? '');
  } catch (error) {
    throw new Problem(error instanceof Error ? error.message : String(error), {
      place,
      suggestion: VOLUME_FORMS,
    });
  }
}

function deviceKey(item: Value, place: Place): string {
  if (isDict(item)) return targetOf(item, `service device ${placeText(place)} is missing a mount target`, place);
  if (typeof item !== 'string') return '';
  const parts = item.split(':');
  return parts[1] ?? item;
}

function targetOf(item: Dict, missing: string, place: Place): string {
  const target = item['target'];
  if (typeof target !== 'string') throw new Problem(missing, { place, suggestion: 'add "target: /path"' });
  return target;
}

function exposeKey(item: Value, place: Place): string {
  if (typeof item === 'string' || typeof item === 'number') return String(item);
  throw new Problem(`${placeText(place)}: unsupported expose value ${goString(item)}`, { place });
}

function mountKey(item: Value, place: Place, directory: string): string {
  if (typeof item === 'string') return `${directory}/${item}`;
  if (!isDict(item)) throw new Problem(`${placeText(place)}: unsupported expose value ${goString(item)}`, { place });
  const target = item['target'];
  return target === undefined ? `${directory}/${goString(item['source'] ?? null)}` : goString(target);
}

function portKey(item: Value, place: Place): string {
  if (!isDict(item)) return goString(item);
  const target = item['target'];
  if (target === undefined)
    throw new Problem(`service ports ${placeText(place)} is missing a target port`, {
      place,
      suggestion: 'add "target: 80"',
    });
  const published = item['published'];
  // A number and a text are not the same to compose, and not the same as none.
  const outside = published === undefined ? '' : typeof published === 'string' ? `"${published}"` : goString(published);
  const host = goString(item['host_ip'] ?? '0.0.0.0');
  return `${host}:${outside}:${goString(target)}/${goString(item['protocol'] ?? 'tcp')}`;
}

function envFileKey(item: Value, place: Place): string {
  if (typeof item === 'string') return item;
  if (!isDict(item)) return '';
  const path = item['path'];
  if (typeof path !== 'string')
    throw new Problem(`environment path attribute ${placeText(place)} is missing`, { place });
  return path;
}
