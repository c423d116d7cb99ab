import { compileRules, type Place, placeOf, placeText, type RuleStep, stepInto } from './path-rules.ts';
import { Problem } from './problem.ts';
import { type Dict, goString, goType, isDict, type Value } from './values.ts';

type Default = (value: Value, place: Place) => void;

const DEFAULTS = compileRules<Default>({
  'services.*.build': (value) => {
    if (isDict(value)) value['context'] ??= '.';
  },
  'services.*.secrets.*': (value, place) => {
    if (!isDict(value)) throw new Problem(`${placeText(place)}: unsupported type ${goType(value)}`, { place });
    value['target'] ??= `/run/secrets/${goString(value['source'] ?? null)}`;
  },
  'services.*.ports.*': (value) => {
    if (!isDict(value)) return;
    value['protocol'] ??= 'tcp';
    value['mode'] ??= 'ingress';
  },
  'services.*.deploy.resources.reservations.devices.*': allDevices,
  'services.*.gpus.*': allDevices,
});

/** Fills in what the specification says a missing attribute means, in place. */
export function setDefaults(document: Dict): void {
  walk(document, undefined, DEFAULTS);
}

function walk(value: Value, place: Place | undefined, step: RuleStep<Default>): void {
  const entries = Array.isArray(value) ? value.entries() : isDict(value) ? Object.entries(value) : [];
  for (const [key, item] of entries) {
    const below = stepInto(step, Array.isArray(value) ? '[]' : String(key));
    if (below === undefined) continue;
    const at = placeOf(place, String(key));
    if (below.rule === undefined) walk(item, at, below);
    else below.rule(item, at);
  }
}

function allDevices(value: Value, place: Place): void {
  if (!isDict(value))
    throw new Problem(`${placeText(place)}: invalid type ${goType(value)} for device request`, { place });
  if (!('count' in value) && !('device_ids' in value)) value['count'] = 'all';
}
