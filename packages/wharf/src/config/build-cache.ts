import type { BuildCacheConfig, BuildCacheRule, BuildCacheSpace } from '@wharf/engine/engine-config';
import { parseBytes, WharfError } from '@wharf/kit';

const RULE_KEYS = ['all', 'filter', 'keepstorage', 'reservedspace', 'maxusedspace', 'minfreespace'];
const GC_KEYS = [
  ...['enabled', 'policy', 'defaultkeepstorage', 'defaultreservedspace'],
  ...['defaultmaxusedspace', 'defaultminfreespace'],
];

/**
 * Reads `builder.gc` as dockerd's daemon.json has it: `{"enabled": true, "defaultKeepStorage": "20GB", "policy": [{"keepStorage":
 * "10GB", "filter": ["unused-for=48h"], "all": false}]}`; letters of keys may be of either case. Throws `invalid-argument`.
 */
export function parseBuildCacheConfig(text: string): BuildCacheConfig {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new WharfError('invalid-argument', `invalid value of "builder.gc": ${String(error)}`, { cause: error });
  }
  const gc = fields(document, 'builder.gc', GC_KEYS);
  const policy = gc.get('policy');
  if (policy !== undefined && !Array.isArray(policy)) throw wrong('builder.gc.policy', 'a list');
  return {
    enabled: flag(gc, 'enabled', true),
    space: spaceOf(gc, 'default'),
    ...(policy === undefined ? {} : { rules: policy.map(ruleOf) }),
  };
}

function ruleOf(value: unknown): BuildCacheRule {
  const rule = fields(value, 'builder.gc.policy', RULE_KEYS);
  return { ...spaceOf(rule, ''), all: flag(rule, 'all', false), filters: filtersOf(rule.get('filter')) };
}

/** A list of `name=value`, or the object of objects that dockerd once wrote by mistake and still reads. */
function filtersOf(value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) {
    return value.map((each) => {
      if (typeof each !== 'string') throw wrong('builder.gc.policy.filter', 'a list of texts');
      const at = each.indexOf('=');
      return at < 0 ? [each.trim(), ''] : [each.slice(0, at).trim().toLowerCase(), each.slice(at + 1).trim()];
    });
  }
  if (typeof value !== 'object') throw wrong('builder.gc.policy.filter', 'a list of texts');
  return Object.entries(value).flatMap(([name, values]) =>
    Object.keys(typeof values === 'object' && values !== null ? values : {}).map((each) => [name, each] as const),
  );
}

function spaceOf(from: ReadonlyMap<string, unknown>, prefix: string): BuildCacheSpace {
  const bytes = (name: string): number => {
    const value = from.get(prefix + name) ?? '';
    if (typeof value !== 'string') throw wrong(`builder.gc.${prefix}${name}`, 'a size such as "10GB"');
    return value === '' ? 0 : parseBytes(value);
  };
  return {
    reservedBytes: bytes('reservedspace') || bytes('keepstorage'),
    maxUsedBytes: bytes('maxusedspace'),
    minFreeBytes: bytes('minfreespace'),
  };
}

function flag(from: ReadonlyMap<string, unknown>, name: string, standard: boolean): boolean {
  const value = from.get(name) ?? standard;
  if (typeof value !== 'boolean') throw wrong(`builder.gc.${name}`, 'true or false');
  return value;
}

function fields(value: unknown, name: string, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(name, 'an object');
  const entries = Object.entries(value).map(([key, each]) => [key.toLowerCase(), each] as const);
  const unknown = entries.find(([key]) => !known.includes(key));
  if (unknown === undefined) return new Map(entries);
  const text = `the following directives don't match any configuration option: ${name}.${unknown[0]}`;
  throw new WharfError('invalid-argument', text);
}

function wrong(name: string, expected: string): WharfError {
  return new WharfError('invalid-argument', `invalid value of "${name}": must be ${expected}`);
}
