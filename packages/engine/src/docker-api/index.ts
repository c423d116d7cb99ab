import type { Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import { absentRoutes } from './absent.ts';
import { archiveRoutes } from './archive.ts';
import { attachRoutes } from './attach.ts';
import { authRoutes } from './auth.ts';
import { containersRoutes } from './containers.ts';
import { diskRoutes } from './disk.ts';
import { diskUsageRoutes } from './disk-usage.ts';
import { distributionRoutes } from './distribution.ts';
import { eventsRoutes } from './events.ts';
import { execRoutes } from './exec.ts';
import { imagesRoutes } from './images.ts';
import { logsRoutes } from './logs.ts';
import { networksRoutes } from './networks.ts';
import { statsRoutes } from './stats.ts';
import { systemRoutes } from './system.ts';
import { volumeCopiesRoutes } from './volume-copies.ts';
import { volumesRoutes } from './volumes.ts';

/** The Engine API, every table in one list: the first row that fits a request answers it. */
export function engineRoutes(engine: Engine): readonly Route[] {
  return [
    ...systemRoutes(engine),
    ...diskRoutes(engine),
    ...diskUsageRoutes(engine),
    ...eventsRoutes(engine),
    ...authRoutes(engine),
    ...containersRoutes(engine),
    ...attachRoutes(engine),
    ...logsRoutes(engine),
    ...statsRoutes(engine),
    ...archiveRoutes(engine),
    ...execRoutes(engine),
    ...distributionRoutes(engine),
    ...imagesRoutes(engine),
    ...volumesRoutes(engine),
    ...volumeCopiesRoutes(engine),
    ...networksRoutes(engine),
    ...absentRoutes(),
  ];
}
