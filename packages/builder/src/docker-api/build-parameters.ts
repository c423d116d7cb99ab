import { formatFamiliar, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { parsePlatform } from '@wharf/oci/spec/platform';
import type { StepLimits } from '@wharf/oci/steps/step';
import type { ApiRequest } from '@wharf/wire/http/route';

/** The query of `POST /build` (Engine API, "ImageBuild"). */
export interface BuildParameters {
  readonly dockerfile: string;
  readonly remote: string;
  readonly names: readonly string[];
  readonly quiet: boolean;
  readonly noCache: boolean;
  readonly pull: boolean;
  /** The cache is limited to these images' steps. */
  readonly cacheFrom: readonly string[] | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Arguments that were named without a value. */
  readonly emptyArgs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly platform: Platform | undefined;
  /** One layer for all that the build makes. */
  readonly squash: boolean;
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits;
}

/** Reads and checks the query. Throws `invalid-argument`, and `not-implemented` for what only other builders have. */
export function buildParameters(request: ApiRequest): BuildParameters {
  const { query } = request;
  const platform = query.get('platform') ?? '';
  return {
    dockerfile: query.get('dockerfile') ?? '',
    remote: query.get('remote') ?? '',
    names: query
      .getAll('t')
      .filter((name) => name !== '')
      .map(normalizedName),
    quiet: query.bool('q'),
    noCache: query.bool('nocache'),
    pull: query.bool('pull'),
    cacheFrom: textList(query.get('cachefrom'), 'cachefrom'),
    buildArgs: new Map(Object.entries(stringMap(query.get('buildargs'), 'buildargs'))),
    emptyArgs: nullsOf(query.get('buildargs')),
    labels: stringMap(query.get('labels'), 'labels'),
    target: query.get('target') || undefined,
    platform: platform === '' ? undefined : parsePlatform(platform),
    squash: query.bool('squash'),
    network: query.get('networkmode') || 'default',
    extraHosts: query
      .getAll('extrahosts')
      .flatMap((line) => line.split(','))
      .filter((line) => line !== ''),
    limits: limits(request),
  };
}

function normalizedName(name: string): string {
  const reference = parseReference(name);
  if (reference.digest !== undefined) {
    throw new WharfError('invalid-argument', 'build tag cannot contain a digest');
  }
  return formatFamiliar(withDefaultTag(reference));
}

function limits({ query }: ApiRequest): StepLimits {
  const text = (name: string) => query.get(name) || undefined;
  const number = (name: string) => query.int(name) || undefined;
  return {
    memoryBytes: number('memory'),
    memorySwapBytes: number('memswap'),
    cpuShares: number('cpushares'),
    cpuPeriod: number('cpuperiod'),
    cpuQuota: number('cpuquota'),
    cpusetCpus: text('cpusetcpus'),
    cpusetMems: text('cpusetmems'),
    cgroupParent: text('cgroupparent'),
    shmSizeBytes: number('shmsize'),
    ulimits: ulimits(query.get('ulimits')),
  };
}

function ulimits(text: string | undefined): StepLimits['ulimits'] {
  const list = parseJson(text, 'ulimits');
  if (list === undefined || list === null) return undefined;
  const valid = Array.isArray(list) && list.every(isUlimit);
  if (!valid) throw new WharfError('invalid-argument', 'error reading ulimit settings: not a list of limits');
  return list;
}

function isUlimit(value: unknown): value is NonNullable<StepLimits['ulimits']>[number] {
  if (typeof value !== 'object' || value === null) return false;
  const { Name, Soft, Hard } = value as Record<string, unknown>;
  return typeof Name === 'string' && typeof Soft === 'number' && typeof Hard === 'number';
}

/** A JSON object of texts. A null takes nothing, as docker's client sends it for an argument that its environment lacks. */
function stringMap(text: string | undefined, name: string): Readonly<Record<string, string>> {
  const value = parseJson(text, name);
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed(name);
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) throw malformed(name);
  return Object.fromEntries(entries);
}

/** The names in a JSON object that have a null for a value. */
function nullsOf(text: string | undefined): readonly string[] {
  const value = parseJson(text, 'buildargs');
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => (each === null ? [name] : []));
}

function textList(text: string | undefined, name: string): readonly string[] | undefined {
  const value = parseJson(text, name);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw malformed(name);
  return value.length === 0 ? undefined : value;
}

/** The JSON of a parameter; `undefined` for none. Throws `invalid-argument`. */
export function parseJson(text: string | undefined, name: string): unknown {
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(name);
  }
}

function malformed(name: string): WharfError {
  return new WharfError('invalid-argument', `error reading ${name}: it is not a JSON object of texts`);
}
