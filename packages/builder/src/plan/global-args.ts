import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform } from '@wharf/oci/spec/platform';
import type { Dockerfile } from '../dockerfile/instructions/types.ts';
import { withLocation } from '../dockerfile/location.ts';
import { expand } from '../dockerfile/shell-words.ts';
import type { ArgNote } from './stage-notes.ts';

/** The arguments every FROM sees, and what an outline tells of those that the file itself defines. */
export interface GlobalArgs {
  readonly values: ReadonlyMap<string, string>;
  readonly notes: ReadonlyMap<string, ArgNote>;
}

/** The names of `automaticArgs`. */
export const automaticNames: readonly string[] = [
  ...['BUILD', 'TARGET'].flatMap((side) =>
    ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map((part) => side + part),
  ),
  'TARGETSTAGE',
];

/** The arguments of the platforms and of the target stage (Dockerfile reference, "Automatic platform ARGs"). */
export function automaticArgs(options: {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly targetStage: string;
}): ReadonlyMap<string, string> {
  const args = new Map<string, string>([
    ...platformArgs('BUILD', options.buildPlatform),
    ...platformArgs('TARGET', options.targetPlatform),
    ['TARGETSTAGE', options.targetStage === '' ? 'default' : options.targetStage],
  ]);
  for (const name of args.keys()) {
    const given = options.buildArgs.get(name);
    if (given !== undefined) args.set(name, given);
  }
  return args;
}

/** Those and the ARGs before the first FROM (Dockerfile reference, "ARG"). */
export function globalArgs(
  dockerfile: Dockerfile,
  automatic: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): GlobalArgs {
  const values = new Map(automatic);
  const notes = new Map<string, ArgNote>();
  for (const { args: definitions, location } of dockerfile.globalArgs) {
    for (const definition of definitions) {
      const { name, value } = definition;
      try {
        const given = buildArgs.get(name);
        const expanded =
          given === undefined && value !== undefined ? expand(value, values, { escape: dockerfile.escape }) : undefined;
        const result = given ?? expanded?.text;
        if (result !== undefined) values.set(name, result);
        const needs = new Set(expanded?.matched);
        if (needs.delete(name)) for (const each of notes.get(name)?.needs ?? []) needs.add(each);
        notes.set(name, { ...definition, value: result ?? '', location, needs });
      } catch (error) {
        throw withLocation(error, location);
      }
    }
  }
  return { values, notes };
}

function platformArgs(prefix: string, platform: Platform): readonly (readonly [string, string])[] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
}

/** Arguments that are known without a definition and stay out of the history (Dockerfile reference, "Predefined ARGs"). */
const PROXIES: ReadonlySet<string> = new Set(['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy']);

/** The environment that proxies given as build arguments make for a RUN: both spellings of each. */
export function proxyEnvironment(buildArgs: ReadonlyMap<string, string>): readonly string[] {
  const env: string[] = [];
  for (const [name, value] of [...buildArgs].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (PROXIES.has(name.toLowerCase())) env.push(`${name.toUpperCase()}=${value}`, `${name.toLowerCase()}=${value}`);
  }
  return env;
}

/** Proxies need no ARG; nor do the builder's own switches. */
export function isPredefined(name: string): boolean {
  return PROXIES.has(name.toLowerCase()) || name.startsWith('BUILDKIT_') || name === 'SOURCE_DATE_EPOCH';
}
