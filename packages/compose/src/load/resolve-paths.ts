import { lstatSync, realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { compileRules, type Place, placeOf, type RuleStep, stepInto } from './path-rules.ts';
import { Problem } from './problem.ts';
import { type Dict, isDict, type Value } from './values.ts';

export interface PathOptions {
  /** What relative paths are relative to; may be relative itself while an extended file is read. */
  readonly base: string;
  /** What `~` stands for; undefined leaves it. */
  readonly home: string | undefined;
  /** Files that are fetched: left as they are. */
  readonly isRemote: (reference: string) => boolean;
}

type Resolve = (value: Value, options: PathOptions, place: Place) => Value;

const RESOLVERS = compileRules<Resolve>({
  'services.*.build.context': context,
  'services.*.build.additional_contexts.*': context,
  'services.*.build.ssh.*': path,
  'services.*.env_file.*.path': nonEmptyPath,
  'services.*.label_file.*': nonEmptyPath,
  'services.*.extends.file': (value, options) =>
    typeof value === 'string' && options.isRemote(value) ? value : nonEmptyPath(value, options),
  'services.*.develop.watch.*.path': watchedPath,
  'services.*.volumes.*': bindSource,
  'configs.*.file': path,
  'secrets.*.file': path,
  'volumes.*': localBind,
});

/** Makes the paths of a document absolute (or relative to `base`, where that is relative), in place. */
export function resolvePaths(document: Dict, options: PathOptions): void {
  walk(document, options, undefined, RESOLVERS);
}

function walk(value: Value, options: PathOptions, place: Place | undefined, step: RuleStep<Resolve>): void {
  if (Array.isArray(value)) {
    const below = stepInto(step, '[]');
    if (below === undefined) return;
    for (const [index, item] of value.entries())
      value[index] = one(item, options, placeOf(place, String(index)), below);
  } else if (isDict(value)) {
    for (const key of Object.keys(value)) {
      const below = stepInto(step, key);
      if (below !== undefined) value[key] = one(value[key] ?? null, options, placeOf(place, key), below);
    }
  }
}

function one(value: Value, options: PathOptions, place: Place, step: RuleStep<Resolve>): Value {
  if (step.rule !== undefined) return step.rule(value, options, place);
  walk(value, options, place, step);
  return value;
}

/** `~` at the start is the home directory. */
export function expandUser(text: string, home: string | undefined): string {
  return text.startsWith('~') && home !== undefined ? join(home, text.slice(1)) : text;
}

function path(value: Value, options: PathOptions): Value {
  if (typeof value !== 'string') return value;
  const expanded = expandUser(value, options.home);
  return isAbsolute(expanded) || isWindowsAbsolute(expanded) ? expanded : joinPath(options.base, expanded);
}

function nonEmptyPath(value: Value, options: PathOptions): Value {
  if (typeof value !== 'string') return value;
  const expanded = expandUser(value, options.home);
  return expanded === '' || isAbsolute(expanded) ? expanded : joinPath(options.base, expanded);
}

/** A directory, or what the builder fetches: another service's image, an image, Git, a URL. */
function context(value: Value, options: PathOptions): Value {
  if (typeof value !== 'string' || value.includes('://') || value.startsWith('service:')) return value;
  return /^(https?:\/\/|git:\/\/|ssh:\/\/|github\.com\/|git@)/.test(value) ? value : nonEmptyPath(value, options);
}

/** Watched paths are compared with what the kernel tells: the first link on the way is followed now. */
function watchedPath(value: Value, options: PathOptions): Value {
  const absolute = nonEmptyPath(value, options);
  if (typeof absolute !== 'string') return absolute;
  let current = isAbsolute(absolute) ? '/' : '';
  for (const part of absolute.split('/')) {
    if (part === '') continue;
    current = join(current, part);
    if (lstatSync(current, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      return absolute.replace(current, realpathSync(current));
  }
  return absolute;
}

function bindSource(value: Value, options: PathOptions, place: Place): Value {
  if (!isDict(value) || value['type'] !== 'bind') return value;
  if (value['source'] === undefined)
    throw new Problem('invalid mount config for type "bind": field Source must not be empty', {
      place,
      suggestion: 'add "source: ./directory"',
    });
  value['source'] = path(value['source'], options);
  return value;
}

/** A local volume with `o: bind` is a bind mount in other words. */
function localBind(value: Value, options: PathOptions): Value {
  if (!isDict(value) || value['driver'] !== 'local') return value;
  const driverOptions = value['driver_opts'];
  if (isDict(driverOptions) && driverOptions['o'] === 'bind' && driverOptions['device'] !== undefined)
    driverOptions['device'] = path(driverOptions['device'], options);
  return value;
}

function isWindowsAbsolute(text: string): boolean {
  return /^[a-zA-Z]:[\\/]/.test(text) || text.startsWith('\\\\');
}

/** Go's `filepath.Join`: without a slash at the end. */
export function joinPath(base: string, rest: string): string {
  const joined = join(base, rest);
  return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
}
