import type { Digest, Filters } from '@wharf/kit';
import {
  filterBoolean,
  filterValues,
  matchesLabels,
  matchesPattern,
  validateFilters,
  WharfError,
  ZERO_TIME,
} from '@wharf/kit';
import type { ContainerRecord } from './container.ts';

const KNOWN_FILTERS = [
  ...['ancestor', 'before', 'exited', 'id', 'isolation', 'label', 'name', 'status', 'health', 'since', 'volume'],
  ...['network', 'is-task', 'publish', 'expose'],
];
const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTH_STATUSES = ['none', 'starting', 'healthy', 'unhealthy'];

export interface ListQuery {
  readonly filters: Filters;
  /** Stopped ones too. A `status` filter implies it. */
  readonly all: boolean;
  /** At most so many, the newest, stopped ones included; none or less is no limit. */
  readonly limit?: number | undefined;
}

/** What the filters need of other rooms. */
export interface ListFacts {
  /** Newest first. */
  readonly records: readonly ContainerRecord[];
  /** Throws `not-found`. */
  find(idOrName: string): ContainerRecord;
  /** Ids of the images a reference of the `ancestor` filter stands for, and of those made from them. */
  ancestors(reference: string): Promise<readonly Digest[]>;
}

/**
 * The containers `docker ps` shows, newest first (Engine API, "List containers").
 * Throws `invalid-argument` for unknown filters and impossible values, `not-found` for `before`/`since` of nothing.
 */
export async function selectContainers(query: ListQuery, facts: ListFacts): Promise<readonly ContainerRecord[]> {
  const { filters } = query;
  checkFilters(filters);
  const all = query.all || filters.has('status') || (query.limit ?? 0) > 0;
  const ancestors = await imageIds(filters, facts);
  const window = between(filters, facts);
  const chosen = window.filter(
    (record) =>
      (all || isUp(record)) &&
      matchesIdentity(filters, record) &&
      matchesState(filters, record) &&
      matchesMounts(filters, record) &&
      matchesNetworks(filters, record) &&
      matchesPorts(filters, record) &&
      (ancestors === undefined || (record.imageId !== '' && ancestors.has(record.imageId))),
  );
  return query.limit !== undefined && query.limit > 0 ? chosen.slice(0, query.limit) : chosen;
}

function checkFilters(filters: Filters): void {
  validateFilters(filters, KNOWN_FILTERS);
  for (const value of filterValues(filters, 'exited')) {
    if (!/^[+-]?\d+$/.test(value))
      throw invalid('exited', value, `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  for (const value of filterValues(filters, 'status')) {
    if (!STATUSES.includes(value)) {
      throw invalid('status', value, `invalid value for state (${value}): must be one of ${STATUSES.join(', ')}`);
    }
  }
  for (const value of filterValues(filters, 'health')) {
    if (!HEALTH_STATUSES.includes(value))
      throw invalid(
        'health',
        value,
        `invalid value for health (${value}): must be one of ${HEALTH_STATUSES.join(', ')}`,
      );
  }
  for (const key of ['publish', 'expose']) for (const value of filterValues(filters, key)) portsOf(key, value);
  filterBoolean(filters, 'is-task', false);
}

function invalid(key: string, value: string, why: string): WharfError {
  return new WharfError('invalid-argument', `invalid filter '${key}=${value}': ${why}`);
}

async function imageIds(filters: Filters, facts: ListFacts): Promise<ReadonlySet<string> | undefined> {
  if (!filters.has('ancestor')) return undefined;
  const found = await Promise.all(filterValues(filters, 'ancestor').map((reference) => facts.ancestors(reference)));
  return new Set(found.flat());
}

/** `before`: older than that container. `since`: newer. The list is newest first. */
function between(filters: Filters, facts: ListFacts): readonly ContainerRecord[] {
  let records = facts.records;
  for (const name of filterValues(filters, 'before')) {
    const { id } = facts.find(name);
    records = records.slice(records.findIndex((record) => record.id === id) + 1);
  }
  for (const name of filterValues(filters, 'since')) {
    const { id } = facts.find(name);
    const end = records.findIndex((record) => record.id === id);
    if (end >= 0) records = records.slice(0, end);
  }
  return records;
}

function isUp(record: ContainerRecord): boolean {
  return ['running', 'paused', 'restarting'].includes(record.state.status);
}

function matchesIdentity(filters: Filters, record: ContainerRecord): boolean {
  return (
    (matchesPattern(filters, 'name', record.name) || matchesPattern(filters, 'name', `/${record.name}`)) &&
    matchesPattern(filters, 'id', record.id) &&
    matchesLabels(filters, record.config.Labels ?? undefined) &&
    // Tasks belong to the cluster, which this engine does not run yet.
    !filterBoolean(filters, 'is-task', false)
  );
}

function matchesState(filters: Filters, record: ContainerRecord): boolean {
  const { state } = record;
  const exited = filterValues(filters, 'exited').map(Number);
  if (exited.length > 0 && (isUp(record) || state.startedAt === ZERO_TIME || !exited.includes(state.exitCode)))
    return false;
  const statuses = filterValues(filters, 'status');
  if (statuses.length > 0 && !statuses.includes(state.status)) return false;
  const health = filterValues(filters, 'health');
  return health.length === 0 || health.includes(state.health?.status ?? 'none');
}

function matchesMounts(filters: Filters, record: ContainerRecord): boolean {
  const wanted = filterValues(filters, 'volume');
  if (wanted.length === 0) return true;
  return record.mounts.some(
    (mount) => wanted.includes(mount.Destination) || wanted.includes(mount.Name ?? mount.Source),
  );
}

function matchesNetworks(filters: Filters, record: ContainerRecord): boolean {
  const wanted = filterValues(filters, 'network');
  if (wanted.length === 0) return true;
  return wanted.some((value) =>
    record.endpoints.some(
      (endpoint) => endpoint.networkName === value || (value !== '' && endpoint.networkId.startsWith(value)),
    ),
  );
}

function matchesPorts(filters: Filters, record: ContainerRecord): boolean {
  const published = filterValues(filters, 'publish').flatMap((value) => portsOf('publish', value));
  const exposed = filterValues(filters, 'expose').flatMap((value) => portsOf('expose', value));
  if (published.length === 0 && exposed.length === 0) return true;
  return Object.entries(record.ports).some(([port, bindings]) => {
    const protocol = port.split('/')[1] ?? 'tcp';
    return (
      exposed.includes(port) || (bindings ?? []).some(({ HostPort }) => published.includes(`${HostPort}/${protocol}`))
    );
  });
}

/** `80`, `80/udp` or `80-90/tcp` as single ports with their protocol. */
function portsOf(key: string, value: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (!match || end < start || end > 65535) throw invalid(key, value, 'it is not a port, range or port/protocol');
  return Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${match[3] ?? 'tcp'}`);
}
