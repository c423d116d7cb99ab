import { PatternList, readIgnoreFile } from '@wharf/builder/files/pattern-list';
import type { Project } from '@wharf/compose/model/project';
import type { Service, WatchTrigger } from '@wharf/compose/model/service';
import { Batches } from '@wharf/compose/watch/batches';
import {
  isBindMounted,
  isSync,
  type MakeMatcher,
  planActions,
  type WatchRule,
  watchRules,
} from '@wharf/compose/watch/rules';
import { TreeWatcher } from '@wharf/compose/watch/tree-watcher';
import { hasErrno, messageOf } from '@wharf/kit/errors';
import { ExitError } from '../../../cli/errors.ts';
import { dockerfileOf } from '../build/service-values.ts';
import type { ImageWork } from '../image-work.ts';
import { type LogConsumer, WATCH_NAME } from '../log-printer.ts';
import type { ComposeSession } from '../session.ts';
import { initialPaths } from './initial-paths.ts';
import { WatchActor } from './watch-actor.ts';

export interface WatchOptions {
  readonly session: ComposeSession;
  readonly project: Project;
  readonly images: ImageWork;
  /** Empty: all. */
  readonly services: readonly string[];
  readonly consumer: LogConsumer;
  /** Removes images that a rebuild has left without a name. */
  readonly prune: boolean;
  readonly signal: AbortSignal;
}

/**
 * Watches the files of services that have a `develop.watch`, and does what it asks for. Files that changed since a container's image was
 * made are synced at once, after the watching has begun: what changes from here on is seen. Throws where nothing is to be watched.
 */
export async function startWatch(options: WatchOptions): Promise<AsyncDisposable> {
  const { session, consumer, signal } = options;
  const rules = rulesOf(options);
  if (rules.length === 0) {
    throw new ExitError(
      1,
      "none of the selected services is configured for watch, consider setting a 'develop' section",
      'See docs/guides/compose.md, "Files that follow".',
    );
  }
  const client = await session.client();
  const actor = new WatchActor({ ...options, client, rules });
  const handle = async (paths: readonly string[]): Promise<void> => {
    try {
      await actor.act(planActions(rules, paths));
    } catch (error) {
      if (!signal.aborted) session.warn(`Error handling changed files: ${messageOf(error)}`);
    }
  };
  const batches = new Batches(handle);
  const watcher = new TreeWatcher({
    roots: [...new Set(rules.map(({ trigger }) => trigger.path))],
    isIgnored: (path) => rules.every((rule) => !isNear(rule, path) || rule.isIgnored(path)),
    onChange: (paths) => batches.add(paths),
    warn: session.warn,
  });
  await watcher.start();
  const first = await initialPaths(client, { project: options.project.name, rules, signal });
  if (first.length > 0) batches.add(first);
  consumer.log(WATCH_NAME, 'Watch enabled');
  return {
    [Symbol.asyncDispose]: async () => {
      watcher.close();
      await batches.close();
    },
  };
}

/** The rule may say something of the path, or of one below it. */
function isNear({ trigger }: WatchRule, path: string): boolean {
  return path === trigger.path || path.startsWith(`${trigger.path}/`) || trigger.path.startsWith(`${path}/`);
}

function rulesOf({ session, project, services }: WatchOptions): readonly WatchRule[] {
  const names = services.length > 0 ? services : Object.keys(project.services);
  return names.flatMap((name) => {
    const service = project.services[name];
    if (service?.develop?.watch === undefined) return [];
    const watch = service.develop.watch.filter((trigger) => isWanted(session, name, service, trigger));
    const dockerIgnore = ignorePatterns(service);
    return watchRules(name, { ...service, develop: { watch } }, { makeMatcher, dockerIgnore });
  });
}

/** Throws for a trigger that cannot be acted upon. */
function isWanted(session: ComposeSession, name: string, service: Service, trigger: WatchTrigger): boolean {
  if (trigger.action === 'rebuild' && service.build === undefined) {
    throw new ExitError(1, `can't watch service "${name}" with action rebuild without a build context`);
  }
  if (!isSync(trigger) || !isBindMounted(trigger.path, service)) return true;
  session.warn(`path '${trigger.path}' also declared by a bind mount volume, this path won't be monitored!\n`);
  return false;
}

/** Patterns of the context's .dockerignore; the Dockerfile's own comes first. */
function ignorePatterns({ build }: Service): readonly string[] {
  const context = build?.context;
  if (build === undefined || context === undefined || !context.startsWith('/')) return [];
  const fs = process.getBuiltinModule('node:fs');
  for (const path of [`${dockerfileOf(build)}.dockerignore`, `${context}/.dockerignore`]) {
    try {
      return readIgnoreFile(fs.readFileSync(path, 'utf8'));
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return [];
}

const makeMatcher: MakeMatcher = (root, patterns) => {
  const quoted = root.replace(/[\\*?[\]]/g, '\\$&').replace(/\/$/, '');
  const list = new PatternList(
    patterns.map((pattern) => {
      const isKept = pattern.startsWith('!');
      const bare = isKept ? pattern.slice(1) : pattern;
      const full =
        bare.startsWith('/') && root !== '/' && bare.startsWith(root)
          ? bare
          : `${quoted}/${bare.replace(/^\.?\//, '')}`;
      return `${isKept ? '!' : ''}${full}`;
    }),
  );
  return (path) => list.matches(path.slice(1));
};
