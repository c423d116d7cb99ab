import type { ImageRuntimeConfig } from '@wharf/oci/spec/image';
import type { ContainerConfig } from '@wharf/wire/docker/types';

const kept = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
  'Healthcheck',
  'OnBuild',
  'Shell',
] as const;

/** The part of a container's config that an image keeps; what is empty is left out. */
export function runtimeConfigOf(config: ContainerConfig): ImageRuntimeConfig {
  return Object.fromEntries(kept.filter((key) => !isEmpty(config[key])).map((key) => [key, config[key]]));
}

/** True for what Go leaves out of JSON under `omitempty`. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
