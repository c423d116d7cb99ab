import { networkShape, serviceShape, volumeShape } from '../model/fields.ts';
import type { Network, Volume } from '../model/resources.ts';
import type { Service } from '../model/service.ts';
import { shapeTree } from './tree.ts';
import { writeJson } from './write-json.ts';

/**
 * What of a service makes a container another one: `com.docker.compose.config-hash`, equal to docker compose's. How it
 * is built, how many there are, what it depends on and its profiles do not count.
 */
export function serviceHash(service: Service): string {
  const {
    build: _build,
    pull_policy: _policy,
    scale: _scale,
    depends_on: _dependsOn,
    profiles: _profiles,
    ...rest
  } = service;
  if (rest.deploy === undefined) return digest(writeJson(shapeTree(rest, serviceShape, 'json')));
  const { replicas: _replicas, ...deploy } = rest.deploy;
  return digest(writeJson(shapeTree({ ...rest, deploy }, serviceShape, 'json')));
}

/** What of a network makes it another one. */
export function networkHash(network: Network): string {
  return digest(writeJson(shapeTree(network, networkShape, 'json')));
}

/** What of a volume makes it another one. */
export function volumeHash(volume: Volume): string {
  return digest(writeJson(shapeTree({ ...volume, driver: volume.driver ?? 'local' }, volumeShape, 'json')));
}

function digest(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
