import { posix } from 'node:path';
import type { Service, WatchTrigger } from '../model/service.ts';

/** Says of absolute paths whether a list of patterns has them (the rules of .dockerignore). */
export type PathMatcher = (path: string) => boolean;

/** Makes a matcher of patterns that are absolute, or relative to `root`. */
export type MakeMatcher = (root: string, patterns: readonly string[]) => PathMatcher;

/** One `develop.watch` entry of a service, ready to be asked. */
export interface WatchRule {
  readonly service: string;
  readonly trigger: WatchTrigger;
  /** Of a path below the trigger's, wanted by `include` and not left out. */
  matches(path: string): boolean;
  /** Nothing below it is wanted: it need not be watched. */
  isIgnored(path: string): boolean;
}

/** Where a file of the host belongs in the container. */
export interface PathMapping {
  readonly hostPath: string;
  readonly containerPath: string;
}

/** What a set of changed files asks for. */
export interface WatchActions {
  readonly rebuild: readonly string[];
  readonly sync: ReadonlyMap<string, readonly PathMapping[]>;
  readonly restart: readonly string[];
  /** By service: triggers whose command runs once the files are there. */
  readonly exec: ReadonlyMap<string, readonly WatchTrigger[]>;
}

/** What editors and tools leave for a moment; never of interest. */
const EPHEMERAL: readonly string[] = [
  ...['**/*___jb_old___', '**/*___jb_tmp___', '**/.idea/**'],
  ...['**/.#*', '**/#*#'],
  ...['**/4913', '**/*~', '**/.*.swp', '**/.*.swx', '**/.*.swo', '**/.*.swn'],
  ...['**/.*.kate-swp', '**/*-go-tmp-umask'],
];

/** The rules of a service. `dockerIgnore` are the patterns of its build context's .dockerignore. */
export function watchRules(
  name: string,
  service: Service,
  given: { readonly makeMatcher: MakeMatcher; readonly dockerIgnore: readonly string[] },
): readonly WatchRule[] {
  const { makeMatcher, dockerIgnore } = given;
  const context = service.build?.context;
  const ignores: PathMatcher[] = [
    makeMatcher('/', EPHEMERAL),
    makeMatcher('/', ['**/.git']),
    ...(context === undefined || dockerIgnore.length === 0 ? [] : [makeMatcher(context, dockerIgnore)]),
  ];
  return (service.develop?.watch ?? []).map((trigger) => {
    const { path, ignore = [], include = [] } = trigger;
    const own = ignore.length === 0 ? undefined : makeMatcher(path, ignore);
    const wanted = include.length === 0 ? undefined : makeMatcher(path, include);
    const isIgnored: PathMatcher = (each) => (own?.(each) ?? false) || ignores.some((matches) => matches(each));
    return {
      service: name,
      trigger,
      matches: (each) => isWithin(path, each) && (wanted?.(each) ?? true) && !isIgnored(each),
      isIgnored,
    };
  });
}

/** True for `parent` itself and whatever lies below it. */
export function isWithin(parent: string, path: string): boolean {
  return path === parent || parent === '/' || path.startsWith(`${parent}/`);
}

/** True for actions that bring files into containers. */
export function isSync({ action }: WatchTrigger): boolean {
  return action === 'sync' || action === 'sync+restart' || action === 'sync+exec';
}

/** True when the container sees the path by a bind mount already. */
export function isBindMounted(path: string, { volumes = [] }: Service): boolean {
  return volumes.some(({ type, source }) => type === 'bind' && source !== undefined && isWithin(source, path));
}

/** What is to be done about changed paths: the pure half of `watch`. */
export function planActions(rules: readonly WatchRule[], paths: Iterable<string>): WatchActions {
  const rebuild = new Set<string>();
  const restart = new Set<string>();
  const sync = new Map<string, Map<string, PathMapping>>();
  const exec = new Map<string, Set<WatchTrigger>>();
  for (const path of paths) {
    for (const rule of rules) {
      if (!rule.matches(path)) continue;
      const { service, trigger } = rule;
      if (trigger.action === 'rebuild') rebuild.add(service);
      if (trigger.action === 'restart' || trigger.action === 'sync+restart') restart.add(service);
      if (trigger.action === 'sync+exec') entry(exec, service, () => new Set()).add(trigger);
      if (isSync(trigger)) {
        const mapping = mappingOf(trigger, path);
        entry(sync, service, () => new Map()).set(mapping.containerPath, mapping);
      }
    }
  }
  return {
    rebuild: [...rebuild],
    restart: [...restart],
    sync: new Map([...sync].map(([service, mappings]) => [service, [...mappings.values()]])),
    exec: new Map([...exec].map(([service, triggers]) => [service, [...triggers]])),
  };
}

/** Where a path below the trigger's belongs in the container. */
export function mappingOf({ path: root, target = '' }: WatchTrigger, hostPath: string): PathMapping {
  const relative = posix.relative(root, hostPath);
  // Of a single file a target that ends in a slash is the directory it goes into.
  const isInto = relative === '' && target.endsWith('/');
  return { hostPath, containerPath: posix.join(target, isInto ? posix.basename(hostPath) : relative) };
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
