import type { Service } from '../model/service.ts';

const SERVICE_PREFIX = 'service:';

/** Services whose containers a service's containers share something with, or are linked to: they must be there before. */
export function referencedServices(service: Service): readonly string[] {
  const modes = [service.network_mode, service.ipc, service.pid].flatMap((mode) =>
    mode?.startsWith(SERVICE_PREFIX) === true ? [mode.slice(SERVICE_PREFIX.length)] : [],
  );
  const volumes = (service.volumes_from ?? []).flatMap((from) => {
    const [name = ''] = from.split(':');
    return name === 'container' ? [] : [name];
  });
  return [...new Set([...modes, ...volumes])];
}

/** Services whose containers' names go into links. */
export function linkedServices(service: Service): readonly string[] {
  return [...new Set((service.links ?? []).map((link) => link.split(':')[0] ?? ''))];
}

/** The service with containers' ids in place of services' names: what docker compose makes its hash from. */
export function resolveReferences(service: Service, idOf: (name: string) => string): Service {
  const mode = (text: string | undefined): string | undefined =>
    text?.startsWith(SERVICE_PREFIX) === true ? `container:${idOf(text.slice(SERVICE_PREFIX.length))}` : text;
  const from = service.volumes_from?.map((entry) => {
    const [name = '', container = ''] = entry.split(':');
    return name === 'container' ? container : idOf(name);
  });
  return {
    ...service,
    ...(service.network_mode === undefined ? {} : { network_mode: mode(service.network_mode) as string }),
    ...(service.ipc === undefined ? {} : { ipc: mode(service.ipc) as string }),
    ...(service.pid === undefined ? {} : { pid: mode(service.pid) as string }),
    ...(from === undefined ? {} : { volumes_from: from }),
  };
}
