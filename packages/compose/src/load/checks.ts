import { isAddress } from './addresses.ts';
import { compileRules, type Place, placeOf, placeText, type RuleStep, stepInto } from './path-rules.ts';
import { Problem } from './problem.ts';
import { type Dict, goString, isDict, type Value } from './values.ts';

type Check = (value: Value, place: Place) => void;

const CHECKS = compileRules<Check>({
  'volumes.*': externalVolume,
  'configs.*': (value, place) => oneSource(value, place, ['file', 'environment', 'content']),
  'secrets.*': (value, place) => oneSource(value, place, ['file', 'environment']),
  'services.*.ports.*': hostAddress,
  'services.*.develop.watch.*.path': (value, place) => {
    if (value === '') throw new Problem(`${placeText(place)}: value can't be blank`, { place });
  },
  'services.*.deploy.resources.reservations.devices.*': deviceRequest,
  'services.*.gpus.*': deviceRequest,
});

/** What one attribute allows beside another. Throws a `Problem` in compose's words. */
export function checkDocument(document: Dict): void {
  walk(document, undefined, CHECKS);
}

function walk(value: Value, place: Place | undefined, step: RuleStep<Check>): void {
  const list = Array.isArray(value);
  const entries = list ? value.entries() : isDict(value) ? Object.entries(value) : [];
  for (const [key, item] of entries) {
    const below = stepInto(step, list ? '[]' : String(key));
    if (below === undefined) continue;
    const at = placeOf(place, String(key));
    if (below.rule === undefined) walk(item, at, below);
    else below.rule(item, at);
  }
}

/** compose does not count list items in these messages. */
function text(place: Place): string {
  return placeText(place).replace(/\.\d+(?=\.|$)/g, '.[]');
}

function externalVolume(value: Value, place: Place): void {
  if (!isDict(value) || value['external'] !== true) return;
  for (const key of Object.keys(value)) {
    if (key === 'name' || key === 'external' || key.startsWith('x-')) continue;
    throw new Problem(`${text(place)}: conflicting parameters "external" and ${JSON.stringify(key)} specified`, {
      place: placeOf(place, key),
      suggestion: 'an external volume is used as it is: leave the line out',
    });
  }
}

function oneSource(value: Value, place: Place, keys: readonly string[]): void {
  if (!isDict(value)) return;
  const given = keys.filter((key) => key in value);
  const names = keys.join('|');
  if (given.length > 1) throw new Problem(`${text(place)}: ${names} attributes are mutually exclusive`, { place });
  if (given.length === 0 && !('driver' in value) && !('external' in value))
    throw new Problem(`${text(place)}: one of ${names} must be set`, { place });
}

function hostAddress(value: Value, place: Place): void {
  if (!isDict(value) || value['host_ip'] === undefined) return;
  const address = goString(value['host_ip']);
  if (!isAddress(address))
    throw new Problem(`${text(place)}: invalid ip address: ${address}`, { place: placeOf(place, 'host_ip') });
}

function deviceRequest(value: Value, place: Place): void {
  if (isDict(value) && 'count' in value && 'device_ids' in value)
    throw new Problem(`${text(place)}: "count" and "device_ids" attributes are exclusive`, { place });
}
