import type { ContainerRecord } from './container.ts';

/**
 * What a container's process reads: an open stdin, none (`false`), or a pipe that has ended. With none the monitor gives it the host's
 * /dev/null, which crun before 1.9 makes the property of the namespace's root where the container has users of its own: whoever owns a device
 * by an open descriptor can change its mode for everybody.
 */
export function standardInput({ config, userNamespace }: ContainerRecord): boolean | 'ended' {
  if (config.OpenStdin === true) return true;
  return userNamespace !== undefined && config.Tty !== true ? 'ended' : false;
}
