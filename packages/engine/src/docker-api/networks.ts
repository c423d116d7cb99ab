import { WharfError } from '@wharf/kit';
import { decodeNetworkConnect, decodeNetworkCreate, decodeNetworkDisconnect } from '@wharf/wire/docker/decode';
import { endpointNotFound, noSuchContainer } from '@wharf/wire/docker/messages';
import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkPruneResponse,
} from '@wharf/wire/docker/types';
import type { Route } from '@wharf/wire/http/route';
import type { NetworkEndpoint } from '../containers/container.ts';
import type { Engine } from '../engine.ts';
import { OPTION } from '../networks/driver-options.ts';

/** `/networks`: docs/reference of the Engine API, "Network". */
export function networksRoutes(engine: Pick<Engine, 'networks' | 'containers'>): readonly Route[] {
  const { networks } = engine;
  return [
    // Docker's own client asks for both.
    ...['/networks', '/networks/'].map(
      (pattern): Route => ({
        method: 'GET',
        pattern,
        handler: (request, response) => {
          // Below 1.28 the list told who is connected.
          response.json(200, networks.listNetworks(request.query.filters(), { withContainers: !request.atLeast(28) }));
        },
      }),
    ),
    {
      method: 'POST',
      pattern: '/networks/create',
      handler: async (request, response) => {
        const given = decodeNetworkCreate(await request.json());
        // Before 1.47 a network could not do without IPv4.
        const asked = request.atLeast(47) ? given : { ...given, EnableIPv4: undefined };
        const isOld = !request.atLeast(48) || asked.CheckDuplicate === true;
        response.json(201, await networks.createNetwork(isOld ? withoutUnaskedIPv6(asked) : asked));
      },
    },
    {
      method: 'POST',
      pattern: '/networks/prune',
      handler: async (request, response) => {
        const body: NetworkPruneResponse = { NetworksDeleted: await networks.pruneNetworks(request.query.filters()) };
        response.json(200, body);
      },
    },
    {
      method: 'GET',
      pattern: '/networks/{id}',
      handler: (request, response) => {
        const { params, query } = request;
        const found = networks.inspectNetwork(params['id'] ?? '', { withStatus: request.atLeast(52) });
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
        await connect(engine, request.params['id'] ?? '', decodeNetworkConnect(await request.json()));
        response.empty(200);
      },
    },
    {
      method: 'POST',
      pattern: '/networks/{id}/disconnect',
      handler: async (request, response) => {
        await disconnect(engine, request.params['id'] ?? '', decodeNetworkDisconnect(await request.json()));
        response.empty(200);
      },
    },
  ];
}

/**
 * Clients from before the families could be chosen (API 1.48) leave `EnableIPv6` out to say no: Compose 1.29 refuses to use a network
 * of its own that says otherwise. Some of them take whatever version the daemon offers; they are known by `CheckDuplicate`, which
 * means nothing since API 1.44. A request with an IPv6 subnet, or with the option for it, has asked.
 */
function withoutUnaskedIPv6(request: NetworkCreateRequest): NetworkCreateRequest {
  const said = request.EnableIPv6 ?? request.Options?.[OPTION.enableIPv6];
  const laidOut = request.IPAM?.Config?.some(({ Subnet }) => Subnet?.includes(':') === true) === true;
  return said !== undefined || laidOut ? request : { ...request, EnableIPv6: false };
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
  const record = containers.find(body.Container ?? '');
  if (!record) {
    const missing = body.Container ?? '';
    throw new WharfError('not-found', body.Force === true ? endpointNotFound(missing) : noSuchContainer(missing));
  }
  const { Id } = networks.inspectNetwork(network);
  await networks.disconnect(record, network);
  containers.amend(record.id, (current) => ({
    ...current,
    endpoints: withoutNetwork(current.endpoints, Id),
    ports: networks.portsOf(current),
  }));
}

const withoutNetwork = (endpoints: readonly NetworkEndpoint[], networkId: string): NetworkEndpoint[] =>
  endpoints.filter((endpoint) => endpoint.networkId !== networkId);
