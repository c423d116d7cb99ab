import { isKind, parseRfc3339 } from '@wharf/kit';
import type { ContainerSummary, OCIDescriptor, PortSummary } from '@wharf/wire/docker/types';
import type { ApiRequest } from '@wharf/wire/http/route';
import type { ContainerRecord } from '../containers/container.ts';
import { linkNames } from '../containers/links.ts';
import { selectContainers } from '../containers/list-filter.ts';
import { statusText } from '../containers/status-text.ts';
import type { Engine } from '../engine.ts';
import { completeEndpoint } from './container-inspect.ts';
import { manifestDescriptor } from './image-descriptor.ts';

/** `GET /containers/json`. */
export async function listContainers(engine: Engine, request: ApiRequest): Promise<readonly ContainerSummary[]> {
  const { query } = request;
  const records = await selectContainers(
    { filters: query.filters(), all: query.bool('all'), limit: query.int('limit') },
    {
      records: newestFirst(engine.containers.list()),
      find: (idOrName) => engine.containers.get(idOrName),
      ancestors: (reference) => engine.images.ancestors(reference),
    },
  );
  return summarizeContainers(engine, request, records, { sized: query.bool('size') });
}

/** All containers with their sizes, as `system df` shows them. */
export function listAllContainers(engine: Engine, request: ApiRequest): Promise<readonly ContainerSummary[]> {
  return summarizeContainers(engine, request, newestFirst(engine.containers.list()), { sized: true });
}

async function summarizeContainers(
  engine: Engine,
  request: ApiRequest,
  records: readonly ContainerRecord[],
  { sized }: { readonly sized: boolean },
): Promise<readonly ContainerSummary[]> {
  const imageNames = await currentImageNames(engine, records);
  const links = linkNames(engine.containers.list());
  const shown = { sized, imageNames, links, descriptor: descriptors(engine) };
  const rows = await Promise.all(
    records.map((record) =>
      summarize(engine, request, record, shown).catch((error: unknown) => {
        // Removed while we measured.
        if (engine.containers.find(record.id) === undefined) return undefined;
        throw error;
      }),
    ),
  );
  return rows.filter((row) => row !== undefined);
}

/** Descriptors of manifests, each read once however many containers were made from it. */
function descriptors(engine: Engine): (record: ContainerRecord) => Promise<OCIDescriptor | undefined> {
  const known = new Map<string, Promise<OCIDescriptor | undefined>>();
  return async (record) => {
    const found = known.get(record.manifestDigest) ?? manifestDescriptor(engine, record);
    known.set(record.manifestDigest, found);
    const descriptor = await found;
    return descriptor && { ...descriptor, platform: record.platform };
  };
}

function newestFirst(records: readonly ContainerRecord[]): readonly ContainerRecord[] {
  const keyed = records.map((record) => ({ record, created: parseRfc3339(record.createdAt) ?? 0n }));
  return keyed.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0)).map(({ record }) => record);
}

/** What each reference names now: a container whose image lost the name is shown with the image's id instead. */
async function currentImageNames(
  engine: Engine,
  records: readonly ContainerRecord[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const references = [...new Set(records.map((record) => record.config.Image ?? ''))];
  const entries = references.map(async (reference) => [reference, await imageIdOf(engine, reference)] as const);
  return new Map(await Promise.all(entries));
}

async function imageIdOf(engine: Engine, reference: string): Promise<string | undefined> {
  try {
    return (await engine.images.resolve(reference)).id;
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid-argument') || isKind(error, 'conflict')) return undefined;
    throw error;
  }
}

async function summarize(
  engine: Engine,
  request: ApiRequest,
  record: ContainerRecord,
  shown: {
    readonly sized: boolean;
    readonly imageNames: ReadonlyMap<string, string | undefined>;
    readonly links: ReadonlyMap<string, readonly string[]>;
    readonly descriptor: (record: ContainerRecord) => Promise<OCIDescriptor | undefined>;
  },
): Promise<ContainerSummary> {
  const size = shown.sized ? await engine.containers.size(record.id) : undefined;
  const descriptor = request.atLeast(48) ? await shown.descriptor(record) : undefined;
  const { health } = record.state;
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...(shown.links.get(record.id) ?? [])],
    Image: imageShown(record, shown.imageNames),
    ImageID: record.imageId,
    ...(descriptor ? { ImageManifestDescriptor: descriptor } : {}),
    Command: commandLine(record),
    Created: Number((parseRfc3339(record.createdAt) ?? 0n) / 1_000_000_000n),
    Ports: portSummaries(record),
    ...(size ? { SizeRw: size.sizeRw, SizeRootFs: size.sizeRootFs } : {}),
    Labels: record.config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record.state, engine.clock.nowNs()),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? 'default',
      ...(record.hostConfig.Annotations && request.atLeast(46) ? { Annotations: record.hostConfig.Annotations } : {}),
    },
    NetworkSettings: {
      Networks: Object.fromEntries(
        record.endpoints.map(({ networkName, settings }) => [networkName, completeEndpoint(settings)]),
      ),
    },
    Mounts: record.mounts,
    ...(request.atLeast(52)
      ? { Health: { Status: health?.status ?? 'none', FailingStreak: health?.failingStreak ?? 0 } }
      : {}),
  };
}

function imageShown(record: ContainerRecord, current: ReadonlyMap<string, string | undefined>): string {
  const reference = record.config.Image ?? '';
  const id = current.get(reference);
  return id === record.imageId || record.imageId === '' ? reference : record.imageId;
}

function commandLine(record: ContainerRecord): string {
  const words = record.args.map((word) => (word.includes(' ') ? `'${word}'` : word));
  return [record.path, ...words].join(' ');
}

/** Published ports with their host side, exposed ones alone; none while the container is down. */
function portSummaries(record: ContainerRecord): readonly PortSummary[] {
  return Object.entries(record.ports).flatMap(([port, bindings]) => {
    const [number = '0', protocol = 'tcp'] = port.split('/');
    const common = { PrivatePort: Number(number), Type: protocol };
    if (!bindings || bindings.length === 0) return [common];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, ...common, PublicPort: Number(HostPort) }));
  });
}
