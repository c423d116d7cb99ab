import type { ContainerStatsResponse } from '@wharf/wire/docker/types';
import type { ApiRequest, Route } from '@wharf/wire/http/route';
import { stringifyJson } from '@wharf/wire/json';
import type { Engine } from '../engine.ts';

/** `GET /containers/{id}/stats`. */
export function statsRoutes(engine: Pick<Engine, 'containers' | 'stats'>): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/containers/{id}/stats',
      handler: async (request, response) => {
        const record = engine.containers.get(request.params.id ?? '');
        const shape = (stats: ContainerStatsResponse) => shapeFor(request, stats);
        if (!request.query.bool('stream', true)) {
          const oneShot = request.atLeast(41) && request.query.bool('one-shot');
          const stats = oneShot ? engine.stats.sample(record) : await engine.stats.pair(record, request.signal);
          response.json(200, shape(stats));
          return;
        }
        const stream = response.stream(200, 'application/json');
        for await (const stats of engine.stats.stream(record, request.signal)) {
          await stream.write(`${stringifyJson(shape(stats))}\n`);
        }
        stream.end();
      },
    },
  ];
}

function shapeFor(request: ApiRequest, stats: ContainerStatsResponse): ContainerStatsResponse {
  if (request.atLeast(52)) return stats;
  const { os_type: _, ...older } = stats;
  return older;
}
