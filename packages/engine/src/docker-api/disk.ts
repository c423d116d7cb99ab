import type { ApiRequest, Route } from '@wharf/wire/http/route';
import { type CollectionConfig, parseCollectionConfig } from '../disk/collection-plan.ts';
import type { Engine } from '../engine.ts';

/** What Docker has no word for: whose the bytes are, and how some come back. */
export function diskRoutes(engine: Pick<Engine, 'disk'>): readonly Route[] {
  const { disk } = engine;
  return [
    {
      method: 'GET',
      pattern: '/wharf/disk',
      handler: async (_request, response) => response.json(200, await disk.account()),
    },
    {
      // What would go and why, and why the rest would stay.
      method: 'GET',
      pattern: '/wharf/gc',
      handler: async (request, response) => response.json(200, await disk.plan(marks(request))),
    },
    {
      method: 'POST',
      pattern: '/wharf/gc',
      handler: async (request, response) => response.json(200, await disk.collect(marks(request))),
    },
  ];
}

/** `?high=85%&low=70%&containers=true` in the place of the daemon's settings. */
function marks(request: ApiRequest): CollectionConfig | undefined {
  const settings: Record<string, string> = {};
  for (const name of ['high', 'low', 'containers']) {
    const value = request.query.get(name);
    if (value) settings[name] = value;
  }
  return parseCollectionConfig(settings);
}
