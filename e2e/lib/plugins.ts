import { join } from 'node:path';
import { fetchFromSid } from './sid.ts';

const PLUGINS = 'usr/libexec/docker/cli-plugins';

/** The path of Compose 2.40, as a program of its own; unpacked from Debian sid under .cache. */
export async function composePlugin(): Promise<string> {
  return join(await fetchFromSid('compose-sid', ['docker-compose']), PLUGINS, 'docker-compose');
}

/** The path of buildx 0.29, as a program of its own; unpacked from Debian sid under .cache. */
export async function buildxPlugin(): Promise<string> {
  return join(await fetchFromSid('buildx-sid', ['docker-buildx']), PLUGINS, 'docker-buildx');
}
