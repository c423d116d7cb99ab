import { WharfError } from '@wharf/kit';
import type { Handler, Route } from '@wharf/wire/http/route';

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/**
 * What dockerd answers outside a swarm and without managed plugins. Clients ask for both on the way to other things:
 * `docker inspect` walks through plugins, `docker info` and `system prune` look for a swarm; a plain 404 stops them.
 */
export function absentRoutes(): readonly Route[] {
  return [...swarmRoutes(), ...pluginRoutes()];
}

function swarmRoutes(): readonly Route[] {
  const refuse: Handler = () => {
    throw new WharfError('unavailable', NOT_A_MANAGER);
  };
  const collections = ['services', 'tasks', 'nodes', 'secrets', 'configs'];
  return [
    ...collections.flatMap((name): Route[] => [
      { method: 'GET', pattern: `/${name}`, handler: refuse },
      { method: 'GET', pattern: `/${name}/{id:.*}`, handler: refuse },
      { method: 'POST', pattern: `/${name}/{id:.*}`, handler: refuse },
      { method: 'DELETE', pattern: `/${name}/{id:.*}`, handler: refuse },
    ]),
    { method: 'GET', pattern: '/swarm', handler: refuse },
    { method: 'GET', pattern: '/swarm/unlockkey', handler: refuse },
    { method: 'POST', pattern: '/swarm/update', handler: refuse },
    { method: 'POST', pattern: '/swarm/unlock', handler: refuse },
    {
      method: 'POST',
      pattern: '/swarm/leave',
      handler: () => {
        throw new WharfError('unavailable', 'This node is not part of a swarm');
      },
    },
    {
      method: 'POST',
      pattern: '/swarm/{verb}',
      handler: ({ params }) => {
        throw new WharfError(
          'not-implemented',
          `Cannot ${params['verb']} a swarm: this version of wharf has no cluster yet`,
        );
      },
    },
  ];
}

function pluginRoutes(): readonly Route[] {
  const noPlugin: Handler = ({ params }) => {
    throw new WharfError('not-found', `plugin ${JSON.stringify(params['name'])} not found`);
  };
  const unsupported: Handler = () => {
    throw new WharfError('not-implemented', 'Cannot manage plugins: this version of wharf has no managed plugins');
  };
  return [
    { method: 'GET', pattern: '/plugins', handler: (_, response) => response.json(200, []) },
    { method: 'GET', pattern: '/plugins/privileges', handler: unsupported },
    { method: 'POST', pattern: '/plugins/pull', handler: unsupported },
    { method: 'POST', pattern: '/plugins/create', handler: unsupported },
    { method: 'GET', pattern: '/plugins/{name:.*}/json', handler: noPlugin },
    { method: 'POST', pattern: '/plugins/{name:.*}/{verb}', handler: noPlugin },
    { method: 'DELETE', pattern: '/plugins/{name:.*}', handler: noPlugin },
  ];
}
