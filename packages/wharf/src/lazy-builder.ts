import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Builder } from '@wharf/builder/build';
import type { Engine } from '@wharf/engine/engine';
import { STEPS_DIR } from '@wharf/engine/steps/step';
import { type Logger, lazily, WharfError } from '@wharf/kit';
import type { Handler, Route } from '@wharf/wire/http/route';

/** The routes of the builder as they are known before it is loaded; a test holds them against the builder's own. */
export const BUILD_ROUTES: readonly Omit<Route, 'handler'>[] = [
  { method: 'POST', pattern: '/build' },
  { method: 'POST', pattern: '/build/cancel' },
  { method: 'POST', pattern: '/build/prune', since: 31 },
  { method: 'POST', pattern: '/session', hijack: true },
  { method: 'POST', pattern: '/grpc', hijack: true },
  { method: 'GET', pattern: '/wharf/builder/caches' },
  { method: 'GET', pattern: '/wharf/builder/caches/archive' },
  { method: 'POST', pattern: '/wharf/builder/caches/archive' },
];

const builderModule = lazily(() => import('./builder.ts'));
const routesModule = lazily(() => import('@wharf/builder/docker-api/build'));

/** A builder that is opened by its first user, so that a daemon that builds nothing does without a third of its modules. */
export interface LazyBuilder {
  readonly open: () => Promise<Builder>;
  /** Waits for what is being given up of builds; nothing where none were. */
  close(): Promise<void>;
}

/** A builder for an engine, not opened yet. */
export function lazyBuilder(engine: Engine): LazyBuilder {
  let opened: Promise<Builder> | undefined;
  const open = () => {
    opened ??= builderModule()
      .then(({ openBuilder }) => openBuilder(engine))
      .catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };
  return {
    open,
    async close() {
      await opened?.then((builder) => builder.close());
    },
  };
}

/** True when builds were interrupted: opening the builder removes what they left. */
export function buildsWereInterrupted({ config, snapshots }: Pick<Engine, 'config' | 'snapshots'>): boolean {
  const directories = [join(config.dataRoot, 'tmp', 'builds'), join(config.execRoot, STEPS_DIR)];
  return (
    directories.some((path) => existsSync(path) && readdirSync(path).length > 0) ||
    snapshots.list().some(({ key, kind }) => kind === 'active' && key.startsWith('build-'))
  );
}

/** The build protocols, of a builder that is opened by the first request for it. */
export function lazyBuildRoutes(options: {
  readonly builder: () => Promise<Builder>;
  readonly log: Logger;
  readonly version: string;
}): readonly Route[] {
  const { builder, log, version } = options;
  let loaded: Promise<readonly Route[]> | undefined;
  const load = async (): Promise<readonly Route[]> => {
    const [opened, { buildRoutes }] = await Promise.all([builder(), routesModule()]);
    return buildRoutes({ builder: opened, log, version });
  };
  const handlerOf = async ({ method, pattern }: Omit<Route, 'handler'>): Promise<Handler> => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    const route = (await loaded).find((each) => each.method === method && each.pattern === pattern);
    if (route === undefined)
      throw new WharfError('internal', `Cannot answer "${pattern}": the builder has no such route`);
    return route.handler;
  };
  return BUILD_ROUTES.map((route) => ({
    ...route,
    handler: async (request, response) => (await handlerOf(route))(request, response),
  }));
}
