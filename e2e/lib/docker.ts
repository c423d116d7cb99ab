import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from '../../scripts/lib/requirements.ts';
import { CACHE } from '../../scripts/lib/root.ts';
import { type RunOptions, type RunResult, run } from '../../scripts/lib/run.ts';
import { fetchFromDebian } from './sid.ts';

let found: Promise<string> | undefined;

/** The docker CLI: the machine's own, else Debian's unpacked under .cache. */
export function dockerCli(): Promise<string> {
  found ??= (async () => {
    const own = findCommand('docker');
    if (own !== undefined) return own;
    return join(await fetchFromDebian('docker-cli', ['docker.io']), 'usr/bin/docker');
  })();
  return found;
}

/** Runs the real docker CLI against a daemon; never touches the user's own configuration. */
export async function docker(host: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run([await dockerCli(), ...args], {
    timeoutMs: 60_000,
    ...options,
    env: { ...clientEnvironment(host), ...options.env },
  });
}

/** The environment that points any Docker client at a daemon. */
export function clientEnvironment(host: string): Readonly<Record<string, string | undefined>> {
  const config = join(CACHE, 'docker-config');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'config.json'), '{}');
  return {
    DOCKER_HOST: host,
    DOCKER_CONFIG: config,
    DOCKER_CONTEXT: undefined,
    DOCKER_TLS_VERIFY: undefined,
    DOCKER_API_VERSION: undefined,
  };
}
