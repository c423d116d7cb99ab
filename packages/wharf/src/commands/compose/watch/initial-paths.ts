import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSync, type WatchRule } from '@wharf/compose/watch/rules';
import type { ImageInspect } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { listContainers } from '../containers.ts';

interface Given {
  readonly project: string;
  readonly rules: readonly WatchRule[];
  readonly signal: AbortSignal;
}

/** Files that changed since the image was made that their service runs: the container does not have them yet. */
export async function initialPaths(client: DockerClient, given: Given): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const rule of given.rules) {
    if (!isSync(rule.trigger) || rule.trigger.initial_sync === false) continue;
    const madeAtMs = await imageMadeAt(client, rule.service, given);
    if (madeAtMs !== undefined) for await (const path of newer(rule, rule.trigger.path, madeAtMs)) found.add(path);
  }
  return [...found];
}

/** Milliseconds since 1970; `undefined` where there is no container. */
async function imageMadeAt(
  client: DockerClient,
  service: string,
  { project, signal }: Given,
): Promise<number | undefined> {
  const choice = { project, services: [service], all: true, oneOff: 'exclude' } as const;
  const [container] = await listContainers(client, choice, signal);
  if (container === undefined) return undefined;
  try {
    const { Created } = await client.json<ImageInspect>('GET', `/images/${container.ImageID}/json`, { signal });
    return Date.parse(Created ?? '') || 0;
  } catch (error) {
    if (isStatus(error, 404)) return 0;
    throw error;
  }
}

async function* newer(rule: WatchRule, path: string, sinceMs: number): AsyncGenerator<string, void, undefined> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined || (path !== rule.trigger.path && rule.isIgnored(path))) return;
  if (!status.isDirectory()) {
    if (Math.max(status.mtimeMs, status.ctimeMs) >= sinceMs && rule.matches(path)) yield path;
    return;
  }
  const directory = await opendir(path).catch(() => undefined);
  if (directory === undefined) return;
  for await (const { name } of directory) yield* newer(rule, join(path, name), sinceMs);
}
