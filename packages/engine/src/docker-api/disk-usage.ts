import type { ApiRequest, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import { parseUsageKinds, shapeUsage, type Usage } from '../system/disk-usage.ts';
import { listAllContainers } from './container-list.ts';
import { shapeSummary } from './image-shapes.ts';

/** `GET /system/df`. */
export function diskUsageRoutes(engine: Engine): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/system/df',
      handler: async (request, response) => {
        // Below 1.42 the parameter is not known and so not looked at.
        const kinds = parseUsageKinds(request.atLeast(42) ? request.query.getAll('type') : []);
        const [usage, containers] = await Promise.all([
          engine.system.diskUsage(kinds),
          kinds.has('container') ? listAllContainers(engine, request) : undefined,
        ]);
        const how = { minor: request.version.minor, verbose: request.query.bool('verbose') };
        response.json(200, shapeUsage({ ...imagesFor(request, usage), containers }, how));
      },
    },
  ];
}

function imagesFor(request: ApiRequest, usage: Usage): Usage {
  if (usage.images === undefined) return usage;
  const images = usage.images.images.map((image) => {
    // The list of images hides this number from older clients; here they count by it.
    return { ...(shapeSummary(image, request) as typeof image), Containers: image.Containers };
  });
  return { ...usage, images: { ...usage.images, images } };
}
