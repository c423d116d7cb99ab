import type { PortBinding, PortMap, StringSet } from '@wharf/wire/docker/types';
import type { Service } from '../model/service.ts';

/** The ports a service says it listens on, by `expose` and `ports`. */
export function exposedPorts(service: Pick<Service, 'expose' | 'ports'>): NonNullable<StringSet> {
  const own = (service.ports ?? []).map(({ target, protocol }) => `${target}/${protocol ?? 'tcp'}`);
  return Object.fromEntries([...(service.expose ?? []), ...own].map((port) => [port, {}]));
}

export function portBindings(service: Pick<Service, 'ports'>): PortMap {
  const bindings: Record<string, PortBinding[]> = {};
  for (const { target, protocol = 'tcp', host_ip: HostIp = '', published: HostPort = '' } of service.ports ?? []) {
    const key = `${target}/${protocol}`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp, HostPort }];
  }
  return bindings;
}

/** True when two containers of the service cannot run side by side: they would want the same port of the host. */
export function publishesFixedPorts(service: Pick<Service, 'ports'>): boolean {
  return (service.ports ?? []).some(({ published = '' }) => /^\d+$/.test(published) && published !== '0');
}
