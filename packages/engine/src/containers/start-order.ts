import type { ContainerRecord } from './container.ts';
import { DEPENDENCY_WAIT_MS } from './limits.ts';
import type { LiveContainer } from './live.ts';
import { peerName } from './namespaces.ts';
import type { Room } from './room.ts';

const PROJECT = 'com.docker.compose.project';
const SERVICE = 'com.docker.compose.service';
const ONE_OFF = 'com.docker.compose.oneoff';
/** `db:service_healthy:false,cache:service_started:true`. */
const DEPENDS_ON = 'com.docker.compose.depends_on';

/** A container that another one waits for. */
export interface Prerequisite {
  readonly id: string;
  /** It is to be healthy, not only started. */
  readonly healthy: boolean;
}

/** What a container waits for when all are started at once: those whose namespaces it joins, and what its Compose file says. */
export function prerequisitesOf(
  record: ContainerRecord,
  all: readonly ContainerRecord[],
  byName: (name: string) => string | undefined,
): readonly Prerequisite[] {
  const { NetworkMode, PidMode, IpcMode } = record.hostConfig;
  const peers = [NetworkMode, PidMode, IpcMode].flatMap((mode) => byName(peerName(mode) ?? '') ?? []);
  const labels = record.config.Labels ?? {};
  const wanted = (labels[DEPENDS_ON] ?? '').split(',').map((part) => part.split(':'));
  const dependencies = wanted.flatMap(([service = '', condition]) => {
    if (service === '' || labels[ONE_OFF] === 'True') return [];
    const own = all.filter(({ config: { Labels } }) => {
      return Labels?.[PROJECT] === labels[PROJECT] && Labels?.[SERVICE] === service && Labels?.[ONE_OFF] !== 'True';
    });
    return own.map(({ id }) => ({ id, healthy: condition === 'service_healthy' }));
  });
  const found = [...peers.map((id) => ({ id, healthy: false })), ...dependencies];
  return found.filter(({ id }) => id !== record.id);
}

/**
 * Starts containers, each after its prerequisites. One that does not get healthy, or in time, is no reason to leave others down; of a
 * ring somebody begins.
 */
export async function startInOrder(
  room: Room,
  wanted: readonly LiveContainer[],
  start: (live: LiveContainer) => Promise<void>,
): Promise<void> {
  const all = room.registry.all().map(({ record }) => record);
  const byId = new Map(wanted.map((live) => [live.id as string, live]));
  const begun = new Map<string, Promise<void>>();
  const begin = (live: LiveContainer, path: ReadonlySet<string>): Promise<void> => {
    const before = begun.get(live.id);
    if (before !== undefined) return before;
    const prerequisites = prerequisitesOf(live.record, all, (name) => room.registry.find(name)?.id);
    const own = new Set([...path, live.id]);
    const ready = prerequisites
      .filter(({ id }) => !path.has(id))
      .map(async ({ id, healthy }) => {
        const other = byId.get(id);
        if (other !== undefined) await begin(other, own);
        const dependency = room.registry.byId(id);
        if (healthy && dependency !== undefined) await healthKnown(room, dependency);
      });
    const started = Promise.all(ready).then(() => start(live));
    begun.set(live.id, started);
    return started;
  };
  await Promise.all(wanted.map((live) => begin(live, new Set())));
}

/** Resolves when a container that runs is known to be healthy or not, when it ends, and after a time in any case. */
async function healthKnown(room: Room, live: LiveContainer): Promise<void> {
  const isOpen = (): boolean => live.isRunning && !room.closing && live.record.state.health?.status === 'starting';
  if (!isOpen()) return;
  const changed = Promise.withResolvers<void>();
  const timer = setTimeout(changed.resolve, DEPENDENCY_WAIT_MS).unref();
  const deaf = room.events.listen(() => {
    if (!isOpen()) changed.resolve();
  });
  try {
    await Promise.race([changed.promise, room.closed.promise]);
  } finally {
    deaf();
    clearTimeout(timer);
  }
}
