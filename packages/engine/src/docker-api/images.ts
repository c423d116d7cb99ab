import { lazily, WharfError } from '@wharf/kit';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import { requireName } from '../images/remove.ts';
import { decodePlatform, platformOf, repoTagReference } from './image-parameters.ts';
import { shapeInspect, shapeSummary } from './image-shapes.ts';

const streams = lazily(() => import('./image-streams.ts'));
const transfers = lazily(() => import('./image-transfers.ts'));

/** `/images`: Engine API reference, "Image". Names hold slashes, so the fixed paths come first. */
export function imagesRoutes(engine: Pick<Engine, 'images'>): readonly Route[] {
  const { images } = engine;
  const named =
    (run: (name: string, request: ApiRequest, response: ApiResponse) => Promise<void>) =>
    (request: ApiRequest, response: ApiResponse) =>
      run(request.params.name ?? '', request, response);
  return [
    { method: 'GET', pattern: '/images/json', handler: (request, response) => list(engine, request, response) },
    {
      method: 'GET',
      pattern: '/images/get',
      handler: async (request, response) => (await streams()).saveRoute(images, namesOf(request), request, response),
    },
    {
      method: 'POST',
      pattern: '/images/load',
      handler: async (request, response) => (await streams()).loadRoute(images, request, response),
    },
    {
      method: 'POST',
      pattern: '/images/create',
      handler: async (request, response) =>
        (request.query.get('fromImage') ?? '') === ''
          ? (await streams()).importRoute(images, request, response)
          : (await transfers()).pullRoute(images, request, response),
    },
    {
      method: 'POST',
      pattern: '/images/prune',
      handler: async (request, response) => response.json(200, await images.prune(request.query.filters())),
    },
    {
      method: 'GET',
      pattern: '/images/{name:.*}/json',
      handler: named((name, request, response) => inspect(engine, name, request, response)),
    },
    {
      method: 'GET',
      pattern: '/images/{name:.*}/history',
      handler: named(async (name, request, response) =>
        response.json(200, await images.history(name, platformOf(request, 48))),
      ),
    },
    {
      method: 'GET',
      pattern: '/images/{name:.*}/get',
      handler: named(async (name, request, response) => (await streams()).saveRoute(images, [name], request, response)),
    },
    {
      method: 'GET',
      pattern: '/images/{name:.*}/attestations',
      since: 55,
      handler: named((name, request, response) => attestations(engine, name, request, response)),
    },
    {
      method: 'POST',
      pattern: '/images/{name:.*}/tag',
      handler: named((name, request, response) => tag(engine, name, request, response)),
    },
    {
      method: 'POST',
      pattern: '/images/{name:.*}/push',
      handler: named(async (name, request, response) => (await transfers()).pushRoute(images, name, request, response)),
    },
    {
      method: 'DELETE',
      pattern: '/images/{name:.*}',
      handler: named((name, request, response) => remove(engine, name, request, response)),
    },
  ];
}

type Images = Pick<Engine, 'images'>;

function namesOf(request: ApiRequest): readonly string[] {
  return request.query.getAll('names').filter((name) => name !== '');
}

async function list({ images }: Images, request: ApiRequest, response: ApiResponse): Promise<void> {
  const { query } = request;
  const filters = new Map(query.filters());
  // Below 1.25 the pattern had a parameter of its own.
  const filter = query.get('filter') ?? '';
  if (!request.atLeast(25) && filter !== '' && !filters.has('reference')) filters.set('reference', [filter]);
  const manifests = request.atLeast(47) && query.bool('manifests');
  if (request.atLeast(54) && query.bool('identity') && !manifests) {
    throw new WharfError('invalid-argument', 'conflicting options: identity requires manifests=1');
  }
  const rows = await images.list({
    all: query.bool('all'),
    filters,
    sharedSize: request.atLeast(42) && query.bool('shared-size'),
    manifests,
  });
  response.json(
    200,
    rows.map((row) => shapeSummary(row, request)),
  );
}

async function inspect({ images }: Images, name: string, request: ApiRequest, response: ApiResponse): Promise<void> {
  const manifests = request.atLeast(48) && request.query.bool('manifests');
  const platform = platformOf(request, 49);
  if (manifests && platform !== undefined) {
    throw new WharfError('invalid-argument', 'conflicting options: manifests and platform options cannot both be set');
  }
  response.json(200, shapeInspect(await images.inspect(name, { manifests, platform }), request));
}

async function tag({ images }: Images, name: string, request: ApiRequest, response: ApiResponse): Promise<void> {
  const reference = repoTagReference(request.query.get('repo') ?? '', request.query.get('tag') ?? '');
  if (reference === undefined)
    throw new WharfError('invalid-argument', 'repository name must have at least one component');
  await images.tag(name, reference);
  response.empty(201);
}

async function remove({ images }: Images, name: string, request: ApiRequest, response: ApiResponse): Promise<void> {
  const { query } = request;
  const platforms = request.atLeast(50)
    ? query
        .getAll('platforms')
        .filter((json) => json !== '')
        .map(decodePlatform)
    : [];
  const options = { force: query.bool('force'), pruneParents: !query.bool('noprune') };
  requireName(name);
  const records =
    platforms.length === 0
      ? await images.remove(name, options)
      : await images.removePlatforms(name, platforms, options.force);
  response.json(200, records);
}

async function attestations(
  { images }: Images,
  name: string,
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  if (request.query.getAll('platform').length > 1) {
    throw new WharfError('invalid-argument', 'only one platform value is currently supported');
  }
  const types = request.query
    .getAll('type')
    .map((type) => type.trim())
    .filter((type) => type !== '');
  const options = { platform: platformOf(request, 55), types, statement: request.query.bool('statement') };
  response.json(200, await images.attestations(name, options));
}
