import { WharfError } from '@wharf/kit';
import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkPruneResponse,
} from '@wharf/wire/docker/types';
import type { ApiRequest, Route } from '@wharf/wire/http/route';
import type { NetworkEndpoint } from '../containers/container.ts';
import type { Engine } from '../engine.ts';

/** `/networks`: docs/reference of the Engine API, "Network". */
export function networksRoutes(engine: Pick<Engine, 'networks' | 'containers'>): readonly Route[] {
  const { networks } = engine;
  return [
    {
      method: 'GET',
      pattern: '/networks',
      handler: (request, response) => {
        // Below 1.28 the list told who is connected.
        response.json(200, networks.listNetworks(request.query.filters(), { withContainers: !request.atLeast(28) }));
      },
    },
    {
      method: 'POST',
      pattern: '/networks/create',
      handler: async (request, response) => {
        response.json(201, await networks.createNetwork(await readBody<NetworkCreateRequest>(request)));
      },
    },
    {
      method: 'POST',
      pattern: '/networks/prune',
      since: 25,
      handler: async (request, response) => {
        const body: NetworkPruneResponse = { NetworksDeleted: await networks.pruneNetworks(request.query.filters()) };
        response.json(200, body);
      },
    },
    {
      method: 'GET',
      pattern: '/networks/{id}',
      handler: ({ params, query }, response) => {
        const found = networks.inspectNetwork(params['id'] ?? '');
        const scope = query.get('scope') ?? '';
        if (scope !== '' && scope !== 'local') throw new WharfError('not-found', `network ${params['id']} not found`);
        response.json(200, found);
      },
    },
    {
      method: 'DELETE',
      pattern: '/networks/{id}',
      handler: async ({ params }, response) => {
        await networks.removeNetwork(params['id'] ?? '');
        response.empty(204);
      },
    },
    {
      method: 'POST',
      pattern: '/networks/{id}/connect',
      handler: async (request, response) => {
        await connect(engine, request.params['id'] ?? '', await readBody<NetworkConnectRequest>(request));
        response.empty(200);
      },
    },
    {
      method: 'POST',
      pattern: '/networks/{id}/disconnect',
      handler: async (request, response) => {
        await disconnect(engine, request.params['id'] ?? '', await readBody<NetworkDisconnectRequest>(request));
        response.empty(200);
      },
    },
  ];
}

async function connect(
  engine: Pick<Engine, 'networks' | 'containers'>,
  network: string,
  body: NetworkConnectRequest,
): Promise<void> {
  const { networks, containers } = engine;
  const record = containers.get(body.Container ?? '');
  const endpoint = await networks.connect(record, network, body.EndpointConfig ?? {});
  containers.amend(record.id, (current) => ({
    ...current,
    endpoints: [...withoutNetwork(current.endpoints, endpoint.networkId), endpoint],
    ports: networks.portsOf(current),
  }));
}

async function disconnect(
  engine: Pick<Engine, 'networks' | 'containers'>,
  network: string,
  body: NetworkDisconnectRequest,
): Promise<void> {
  const { networks, containers } = engine;
  const record = containers.get(body.Container ?? '');
  const { Id } = networks.inspectNetwork(network);
  await networks.disconnect(record, network, body.Force === true);
  containers.amend(record.id, (current) => ({
    ...current,
    endpoints: withoutNetwork(current.endpoints, Id),
    ports: networks.portsOf(current),
  }));
}

const withoutNetwork = (endpoints: readonly NetworkEndpoint[], networkId: string): NetworkEndpoint[] =>
  endpoints.filter((endpoint) => endpoint.networkId !== networkId);

/** A JSON object of that form; clients that send none mean an empty one. */
async function readBody<T extends object>(request: ApiRequest): Promise<T> {
  const body = await request.json();
  if (body === undefined || body === null) return {} as T;
  if (typeof body !== 'object' || Array.isArray(body))
    throw new WharfError('invalid-argument', 'invalid JSON: an object is expected');
  return body as T;
}
