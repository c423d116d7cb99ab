import { parseBytes, WharfError } from '@wharf/kit';
import { FlagError, UsageError } from '../cli/errors.ts';
import { attestAttributes } from './attests.ts';
import type { BuildValues } from './build-values.ts';

const CALLS: Readonly<Record<string, string>> = {
  check: 'frontend.lint',
  lint: 'frontend.lint',
  outline: 'frontend.outline',
  targets: 'frontend.targets',
};

/** What is asked about a Dockerfile instead of building it. */
export interface Question {
  readonly name: 'lint' | 'outline' | 'targets';
  readonly id: string;
  readonly format: 'text' | 'json';
  readonly ignoreStatus: boolean;
}

/** Reads `--call`, `--check`: `check`, `outline,format=json`, `check,ignorestatus`. `undefined` for a build. Throws UsageError. */
export function questionOf(values: BuildValues): Question | undefined {
  const [method = 'build', ...options] = (values.check === true ? 'check' : (values.call ?? 'build')).split(',');
  if (method === 'build' || method === '') return undefined;
  const id = Object.hasOwn(CALLS, method) ? CALLS[method] : undefined;
  if (id === undefined)
    throw new UsageError(`unknown method "${method}"`, 'There are "build", "check", "outline" and "targets".');
  const fields = new Map(
    options.map((option) => [option.split('=')[0] ?? '', option.split('=')[1] ?? 'true'] as const),
  );
  const format = values.json === true ? 'json' : (fields.get('format') ?? 'text');
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format "${format}"`, 'There are "text" and "json".');
  const name = method === 'check' || method === 'lint' ? 'lint' : (method as 'outline' | 'targets');
  return { name, id, format, ignoreStatus: fields.get('ignorestatus') === 'true' };
}

/** What the Dockerfile front end is told (BuildKit, dockerui `config.go`), but for its inputs. Throws UsageError. */
export function frontendAttributes(
  values: BuildValues,
  surroundings: { readonly env: NodeJS.ProcessEnv; readonly proxies: Readonly<Record<string, string>> },
): Readonly<Record<string, string>> {
  const { env, proxies } = surroundings;
  const buildArguments = argumentsOf(values['build-arg'], env, proxies);
  const question = questionOf(values);
  const platforms = values.platform.flatMap((text) => text.split(',')).filter((text) => text !== '');
  return {
    ...attestAttributes({ attests: values.attest, provenance: values.provenance, sbom: values.sbom }),
    ...prefixed('build-arg:', buildArguments),
    ...prefixed('label:', pairs(values.label)),
    ...(values.target ? { target: values.target } : {}),
    ...(platforms.length > 0 ? { platform: [...new Set(platforms)].join(',') } : {}),
    ...(buildArguments['BUILDKIT_MULTI_PLATFORM'] === '1' ? { 'multi-platform': 'true' } : {}),
    ...(values['no-cache-filter'].length > 0 ? { 'no-cache': values['no-cache-filter'].join(',') } : {}),
    ...(values['no-cache'] === true ? { 'no-cache': '' } : {}),
    'image-resolve-mode': values.pull === true ? 'pull' : 'local',
    ...networkAttributes(values.network),
    ...hostAttributes(values['add-host']),
    ...(values['shm-size'] ? { 'shm-size': String(bytes('shm-size', values['shm-size'])) } : {}),
    ...(values.ulimit.length > 0 ? { ulimit: values.ulimit.map(ulimit).join(',') } : {}),
    ...(values['cgroup-parent'] ? { 'cgroup-parent': values['cgroup-parent'] } : {}),
    ...(question === undefined
      ? {}
      : { requestid: question.id, 'frontend.caps': 'moby.buildkit.frontend.subrequests' }),
    ...(values.explain === true ? { 'wharf.explain': 'true' } : {}),
  };
}

/** Rights that steps are granted. */
export function entitlementsOf({ allow, network }: BuildValues): readonly string[] {
  return [...new Set([...allow, ...(network === 'host' ? ['network.host'] : [])])];
}

/** `--annotation`, as attributes of an exporter of images: `manifest:k=v`, `index[linux/amd64]:k=v`. Throws UsageError. */
export function annotationAttributes(given: readonly string[]): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const text of given) {
    const equals = text.indexOf('=');
    if (equals < 0) throw new UsageError(`invalid annotation "${text}", expected key=value`);
    const [key, value] = [text.slice(0, equals), text.slice(equals + 1)];
    const colon = key.indexOf(':');
    if (colon < 0) {
      attributes[`annotation.${key}`] = value;
      continue;
    }
    for (const kind of key.slice(0, colon).split(',')) {
      if (!/^(index|index-descriptor|manifest|manifest-descriptor)(\[[\w/-]+\])?$/.test(kind)) {
        throw new UsageError(`unknown annotation type "${kind}"`);
      }
      attributes[`annotation-${kind}.${key.slice(colon + 1)}`] = value;
    }
  }
  return attributes;
}

/** `NAME=VALUE`, or `NAME` with the environment's value; those the environment lacks are left out. */
function argumentsOf(
  given: readonly string[],
  env: NodeJS.ProcessEnv,
  proxies: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const text of given) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === '') throw new UsageError(`invalid build argument "${text}": it has no name`);
    const value = equals < 0 ? env[name] : text.slice(equals + 1);
    if (value !== undefined) values[name] = value;
  }
  const epoch = env['SOURCE_DATE_EPOCH'];
  if (epoch && values['SOURCE_DATE_EPOCH'] === undefined) values['SOURCE_DATE_EPOCH'] = epoch;
  const named = new Set(Object.keys(values).map((name) => name.toLowerCase()));
  for (const [name, value] of Object.entries(proxies)) if (!named.has(name.toLowerCase())) values[name] = value;
  return values;
}

function pairs(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function networkAttributes(network: string | undefined): Readonly<Record<string, string>> {
  return network === undefined || network === '' || network === 'default' ? {} : { 'force-network-mode': network };
}

function hostAttributes(given: readonly string[]): Readonly<Record<string, string>> {
  const hosts = given
    .flatMap((text) => text.split(','))
    .map((text) => {
      const [name, address] = text.includes('=') ? split(text, '=') : split(text, ':');
      if (name === '' || address === '') throw new UsageError(`invalid host ${text}`, 'It is given as NAME:ADDRESS.');
      return `${name}=${address.replace(/^\[(.*)\]$/, '$1')}`;
    });
  return hosts.length === 0 ? {} : { 'add-hosts': hosts.join(',') };
}

function split(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function ulimit(text: string): string {
  if (!/^[a-z]+=-?\d+(:-?\d+)?$/.test(text)) {
    throw new UsageError(`invalid ulimit argument: ${text}`, 'It is given as NAME=SOFT[:HARD].');
  }
  const [name, limits] = split(text, '=');
  const [soft = '', hard = soft] = limits.split(':');
  return `${name}=${soft}:${hard}`;
}

function bytes(flag: string, text: string): number {
  try {
    return Number(parseBytes(text));
  } catch (error) {
    if (!(error instanceof WharfError)) throw error;
    throw new FlagError(`invalid argument "${text}" for "--${flag}" flag: ${error.message}`);
  }
}
