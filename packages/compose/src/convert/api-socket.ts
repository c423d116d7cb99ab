import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';

const CONFIG = '#apisocket';

export function usesApiSocket(project: Project): boolean {
  return Object.values(project.services).some((service) => service.use_api_socket === true);
}

/** What `use_api_socket` stands for: the daemon's socket, and the client's credentials where the service's client looks for them. */
export function withApiSocket(project: Project, credentials: string): Project {
  if (!usesApiSocket(project)) return project;
  const services = Object.entries(project.services).map(([name, service]) => [name, withSocket(service)] as const);
  return {
    ...project,
    services: Object.fromEntries(services),
    configs: { ...project.configs, [CONFIG]: { content: credentials } },
  };
}

function withSocket(service: Service): Service {
  if (service.use_api_socket !== true) return service;
  const socket = '/var/run/docker.sock';
  const configured = Object.hasOwn(service.environment ?? {}, 'DOCKER_CONFIG');
  const entries = Object.entries({
    ...service.environment,
    ...(configured ? {} : { DOCKER_CONFIG: '/run/secrets/docker' }),
  });
  return {
    ...service,
    volumes: [...(service.volumes ?? []), { type: 'bind', source: socket, target: socket }],
    environment: Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    configs: [...(service.configs ?? []), { source: CONFIG, target: '/run/secrets/docker/config.json' }],
  };
}
