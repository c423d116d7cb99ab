import { expectCgroupMove } from '@wharf/linux/cgroup';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import { readCgroupFacts } from '../system/cgroup-facts.ts';
import { shapeInfo } from '../system/info.ts';

function ping(request: ApiRequest, response: ApiResponse): void {
  // The `docker` command begins with it, whatever it is about to do: the earliest sign of an exec or a run.
  expectCgroupMove();
  response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
  response.setHeader('Pragma', 'no-cache');
  // Clients choose the builder by this: 1 is the classic one, 2 is BuildKit behind /session and /grpc.
  response.setHeader('Builder-Version', '1');
  response.setHeader('Swarm', 'inactive');
  response.text(200, request.method === 'HEAD' ? '' : 'OK');
}

/** `GET /version`, `GET /info`, `GET` and `HEAD /_ping`. */
export function systemRoutes(engine: Pick<Engine, 'system'>): readonly Route[] {
  // The host's layout does not change while the daemon runs.
  const cgroup = readCgroupFacts();
  return [
    { method: 'HEAD', pattern: '/_ping', handler: ping },
    { method: 'GET', pattern: '/_ping', handler: ping },
    {
      method: 'GET',
      pattern: '/version',
      handler: async (_request, response) => response.json(200, await engine.system.versionInfo()),
    },
    {
      method: 'GET',
      pattern: '/info',
      handler: async (request, response) =>
        response.json(200, shapeInfo(await engine.system.info(), request.version.minor, cgroup)),
    },
  ];
}
