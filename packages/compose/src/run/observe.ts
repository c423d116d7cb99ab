import type { ContainerSummary, ImageInspect, Network, Volume, VolumeListResponse } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { CONFIG_HASH, CONTAINER_NUMBER, ONE_OFF, PROJECT, SERVICE } from '../convert/labels.ts';
import { canonicalName } from '../convert/names.ts';
import { asksForRestartWhenUnhealthy } from '../convert/restart.ts';
import type { Project } from '../model/project.ts';
import { imagesOf } from '../plan/images.ts';
import type { DaemonAbilities, Observed, ObservedContainer, ObservedImage } from '../plan/observed.ts';

interface Asked {
  readonly client: DockerClient;
  readonly projectName: string;
  readonly signal?: AbortSignal | undefined;
}

/** Everything of a project that is there, by requests at the same time. Without a project: what labels find. */
export async function observe(asked: Asked, project: Project | undefined): Promise<Observed> {
  const [containers, networks, volumes, images, daemon] = await Promise.all([
    observeContainers(asked),
    observeNetworks(asked),
    observeVolumes(asked, project),
    project === undefined ? {} : observeImages(asked, imagesOf(project)),
    observeAbilities(asked, project),
  ]);
  return { containers, networks, volumes, images, daemon };
}

/** Containers of the project, one-off ones too, in any state. */
export async function observeContainers({ client, projectName, signal }: Asked): Promise<readonly ObservedContainer[]> {
  const filters = { label: [`${PROJECT}=${projectName}`, CONFIG_HASH] };
  const found = await client.json<readonly ContainerSummary[]>('GET', '/containers/json', {
    query: { all: true, filters },
    signal,
  });
  return found.map(containerOf);
}

function containerOf(summary: ContainerSummary): ObservedContainer {
  const labels = summary.Labels ?? {};
  return {
    id: summary.Id,
    name: canonicalName(summary.Names ?? [], summary.Id),
    service: labels[SERVICE] ?? '',
    number: Number.parseInt(labels[CONTAINER_NUMBER] ?? '', 10) || 0,
    oneOff: labels[ONE_OFF] === 'True',
    status: summary.State,
    health: healthOf(summary.Status),
    exitCode: exitCodeOf(summary.Status),
    labels,
    image: summary.Image,
    createdAt: summary.Created,
    networkIds: Object.values(summary.NetworkSettings?.Networks ?? {}).flatMap(({ NetworkID }) => NetworkID || []),
    networkNames: Object.keys(summary.NetworkSettings?.Networks ?? {}),
    mounts: (summary.Mounts ?? []).map(({ Type, Name = '', Source, Destination, RW }) => ({
      type: Type ?? '',
      name: Name,
      source: Source,
      target: Destination,
      writable: RW,
    })),
  };
}

/** `Up 2 minutes (healthy)`, `Up 2 seconds (health: starting)`. */
function healthOf(status: string): ObservedContainer['health'] {
  const [, known] = /\((?:health: )?(healthy|unhealthy|starting)\)$/.exec(status) ?? [];
  return known as ObservedContainer['health'];
}

/** `Exited (137) 2 seconds ago`. */
function exitCodeOf(status: string): number | undefined {
  const code = /^Exited \((\d+)\)/.exec(status)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** All networks: names are not unique to a project, and the daemon matches parts of them. */
async function observeNetworks({ client, signal }: Asked): Promise<Observed['networks']> {
  const found = await client.json<readonly Network[]>('GET', '/networks', { signal });
  return found.map(({ Id, Name, Driver, Labels }) => ({ id: Id, name: Name, driver: Driver, labels: Labels ?? {} }));
}

async function observeVolumes(
  { client, projectName, signal }: Asked,
  project: Project | undefined,
): Promise<Observed['volumes']> {
  const names = Object.entries(project?.volumes ?? {}).map(([key, { name = key }]) => name);
  if (project !== undefined && names.length === 0) return [];
  // Several filters of one kind are alternatives, and names match in part: exact ones are picked by the planner.
  const filters = project === undefined ? { label: [`${PROJECT}=${projectName}`] } : { name: names };
  const { Volumes } = await client.json<VolumeListResponse>('GET', '/volumes', { query: { filters }, signal });
  return (Volumes ?? []).map(({ Name, Driver, Labels }: Volume) => ({
    name: Name,
    driver: Driver,
    labels: Labels ?? {},
  }));
}

/** The images there are of those names. */
export async function observeImages(
  { client, signal }: Pick<Asked, 'client' | 'signal'>,
  names: readonly string[],
): Promise<Readonly<Record<string, ObservedImage>>> {
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        const image = await client.json<ImageInspect>('GET', `/images/${encodeImage(name)}/json`, { signal });
        return [[name, imageOf(image)] as const];
      } catch (error) {
        if (isStatus(error, 404)) return [];
        throw error;
      }
    }),
  );
  return Object.fromEntries(found.flat());
}

/** Slashes stay: they are part of an image's name in the daemon's paths. */
const encodeImage = (name: string): string => name.split('/').map(encodeURIComponent).join('/');

function imageOf(image: ImageInspect): ObservedImage {
  const tagged = Date.parse(image.Metadata?.LastTagTime ?? '');
  return {
    id: image.Id,
    volumes: Object.keys(image.Config?.Volumes ?? {}),
    taggedAtMs: Number.isNaN(tagged) || tagged < 0 ? 0 : tagged,
    platform: [image.Os, image.Architecture, image.Variant].filter(Boolean).join('/'),
  };
}

/** The daemon is asked what it is only where plans differ by it. */
async function observeAbilities({ client, signal }: Asked, project: Project | undefined): Promise<DaemonAbilities> {
  const services = Object.values(project?.services ?? {});
  const matters = services.some(
    (service) => service.deploy?.update_config?.order === 'start-first' || asksForRestartWhenUnhealthy(service),
  );
  const [apiVersion, version] = await Promise.all([
    client.apiVersion({ signal }),
    matters
      ? client.json<{ readonly Platform?: { readonly Name?: string } }>('GET', '/version', { signal })
      : undefined,
  ]);
  const isWharf = version?.Platform?.Name === 'wharf';
  return { apiVersion, movesPorts: isWharf, restartsUnhealthy: isWharf };
}
