import { posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import { parseSignal } from '@wharf/linux/signals';
import type { ContainerConfig } from '@wharf/wire/docker/types';
import { checkHealthcheck } from '../health/health-config.ts';
import { HOSTNAME_MAX } from './limits.ts';

/** Checks a container's portable configuration and returns it normalised. Throws `invalid-argument` in Docker's words. */
export function validateConfig(config: ContainerConfig): ContainerConfig {
  const refuse = (message: string) => new WharfError('invalid-argument', message);
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    throw refuse(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  if (config.StopSignal) parseSignal(config.StopSignal);
  for (const entry of config.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw refuse(`invalid environment variable: ${entry}`);
  }
  if (Buffer.byteLength(config.Hostname ?? '') > HOSTNAME_MAX) {
    throw refuse(`hostname ${JSON.stringify(config.Hostname)} is too long (maximum ${HOSTNAME_MAX} bytes)`);
  }
  checkHealthcheck(config.Healthcheck);
  return config.WorkingDir ? { ...config, WorkingDir: cleanPath(config.WorkingDir) } : config;
}

/** Go's `filepath.Clean`: no trailing slash. */
function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
