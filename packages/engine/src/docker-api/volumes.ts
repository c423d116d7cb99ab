import { WharfError } from '@wharf/kit';
import type { VolumeListResponse, VolumePruneResponse } from '@wharf/wire/docker/types';
import type { ApiRequest, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import type { CreateVolumeOptions } from '../volumes/volume-store.ts';

const NO_SWARM =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** `/volumes`: docs/reference of the Engine API, "Volume". */
export function volumesRoutes(engine: Pick<Engine, 'volumes'>): readonly Route[] {
  const { volumes } = engine;
  return [
    {
      method: 'GET',
      pattern: '/volumes',
      handler: async (request, response) => {
        const { volumes: found, warnings } = await volumes.listAll(request.query.filters());
        const body: VolumeListResponse = { Volumes: found, Warnings: warnings.length === 0 ? null : warnings };
        response.json(200, body);
      },
    },
    {
      method: 'POST',
      pattern: '/volumes/create',
      handler: async (request, response) => {
        response.json(201, await volumes.create(await readCreate(request)));
      },
    },
    {
      method: 'POST',
      pattern: '/volumes/prune',
      handler: async (request, response) => {
        const filters = new Map(request.query.filters());
        // Below 1.42 every unused volume went, not the anonymous ones only.
        if (!request.atLeast(42)) filters.set('all', ['true']);
        const { deleted, spaceReclaimedBytes } = await volumes.prune(filters);
        const body: VolumePruneResponse = { VolumesDeleted: deleted, SpaceReclaimed: spaceReclaimedBytes };
        response.json(200, body);
      },
    },
    {
      method: 'GET',
      pattern: '/volumes/{name:.*}',
      handler: async ({ params }, response) => response.json(200, await volumes.look(params.name ?? '')),
    },
    {
      method: 'PUT',
      pattern: '/volumes/{name:.*}',
      since: 42,
      handler: () => {
        throw new WharfError('unavailable', 'volume update only valid for cluster volumes, but swarm is unavailable');
      },
    },
    {
      method: 'DELETE',
      pattern: '/volumes/{name:.*}',
      handler: async ({ params, query }, response) => {
        await volumes.remove(params.name ?? '', { force: query.bool('force') });
        response.empty(204);
      },
    },
  ];
}

async function readCreate(request: ApiRequest): Promise<CreateVolumeOptions> {
  const body = fields(await request.json());
  if (body.get('clustervolumespec') && request.atLeast(42)) throw new WharfError('unavailable', NO_SWARM);
  return {
    name: text(body.get('name'), 'Name'),
    driver: text(body.get('driver'), 'Driver'),
    options: texts(body.get('driveropts'), 'DriverOpts'),
    labels: texts(body.get('labels'), 'Labels'),
  };
}

/** Go reads field names in any case. */
function fields(body: unknown): ReadonlyMap<string, unknown> {
  if (body === undefined || body === null) return new Map();
  if (typeof body !== 'object' || Array.isArray(body)) throw mismatch(body, '', 'volume.CreateRequest');
  return new Map(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]));
}

function text(value: unknown, field: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw mismatch(value, field, 'string');
  return value;
}

function texts(value: unknown, field: string): Readonly<Record<string, string>> | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, field, 'map[string]string');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, text(item, field)]));
}

function mismatch(value: unknown, field: string, wanted: string): WharfError {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const where = field === '' ? 'Go value' : `Go struct field CreateRequest.${field}`;
  return new WharfError(
    'invalid-argument',
    `invalid JSON: json: cannot unmarshal ${kind} into ${where} of type ${wanted}`,
  );
}
