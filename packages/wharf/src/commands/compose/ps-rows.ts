import { PROJECT, SERVICE } from '@wharf/compose/convert/labels';
import type { ContainerSummary } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import type { RowKind } from '../../term/rows.ts';
import { ellipsis, shortId } from '../../term/short-text.ts';
import { humanSize, since } from '../../term/units.ts';
import { type PublishedPort, portsText } from '../container/ports-text.ts';
import { labelOf, nameOf } from './containers.ts';

/** A container as `compose ps` knows it. */
export interface PsRow {
  readonly container: ContainerSummary;
  readonly health: string;
  readonly exitCode: number;
}

interface Inspected {
  readonly State?: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
}

const COMMAND_COLUMNS = 20;
const MOUNT_COLUMNS = 15;
const TABLE = 'table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}';
const RAW = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`;

/** `--format` with docker compose's words for its own formats. */
export function formatOf(format: string): string {
  if (format === 'table' || format === '') return TABLE;
  return format === 'raw' ? RAW : format;
}

/** Whether a format shows what the daemon's list does not have; those of docker compose's own do not. */
export function needsInspection(format: string): boolean {
  return format !== TABLE && format !== RAW;
}

/** Adds health and exit codes, which the list does not have. One that went meanwhile is left out. */
export async function psRows(
  client: DockerClient,
  containers: readonly ContainerSummary[],
  signal: AbortSignal,
): Promise<readonly PsRow[]> {
  const rows = await Promise.all(
    containers.map(async (container): Promise<readonly PsRow[]> => {
      try {
        const { State } = await client.json<Inspected>('GET', `/containers/${container.Id}/json`, { signal });
        const isOver = State?.Status === 'exited' || State?.Status === 'dead';
        const health = State?.Status === 'running' ? (State.Health?.Status ?? '') : '';
        return [{ container, health, exitCode: isOver ? State.ExitCode : 0 }];
      } catch (error) {
        if (isStatus(error, 404)) return [];
        throw error;
      }
    }),
  );
  return rows.flat();
}

/** The columns of `compose ps`, as docker compose has them. */
export function containerKind(isShort: boolean): RowKind<PsRow> {
  const short = (text: string, columns: number): string => (isShort ? ellipsis(text, columns) : text);
  return {
    goType: '*formatter.ContainerContext',
    columns: {
      Command: {
        header: 'COMMAND',
        value: ({ container }) => JSON.stringify(short(container.Command, COMMAND_COLUMNS)),
      },
      CreatedAt: { header: 'CREATED AT', value: ({ container }) => goTime(container.Created) },
      ExitCode: { value: ({ exitCode }) => exitCode },
      Health: { value: ({ health }) => health },
      ID: { header: 'CONTAINER ID', value: ({ container }) => (isShort ? shortId(container.Id) : container.Id) },
      Image: { header: 'IMAGE', value: ({ container }) => container.Image },
      Labels: {
        header: 'LABELS',
        value: ({ container }) =>
          Object.entries(container.Labels ?? {})
            .map(([key, value]) => `${key}=${value}`)
            .join(','),
      },
      LocalVolumes: {
        value: ({ container }) => String((container.Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
      },
      Mounts: {
        value: ({ container }) =>
          (container.Mounts ?? []).map(({ Name, Source }) => short(Name || Source, MOUNT_COLUMNS)).join(','),
      },
      Name: { header: 'NAME', value: ({ container }) => nameOf(container) },
      Names: { value: ({ container }) => namesOf(container, isShort) },
      Networks: { value: ({ container }) => Object.keys(container.NetworkSettings?.Networks ?? {}).join(',') },
      Ports: {
        header: 'PORTS',
        value: ({ container }) => portsText((container.Ports ?? []) as readonly PublishedPort[]),
      },
      Project: { header: 'PROJECT', value: ({ container }) => labelOf(container, PROJECT) },
      Publishers: { value: ({ container }) => publishers(container) },
      RunningFor: { header: 'CREATED', value: ({ container }) => since(container.Created) },
      Service: { header: 'SERVICE', value: ({ container }) => labelOf(container, SERVICE) },
      Size: { header: 'SIZE', value: ({ container }) => sizeOf(container) },
      State: { header: 'STATE', value: ({ container }) => container.State },
      Status: { header: 'STATUS', value: ({ container }) => container.Status },
    },
    label: ({ container }, name) => labelOf(container, name),
  };
}

/** Go's `Time.String()`, in UTC. */
function goTime(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

function namesOf({ Names }: ContainerSummary, isShort: boolean): string {
  const names = Names.map((name) => name.replace(/^\//, ''));
  const own = isShort ? names.find((name) => !name.includes('/')) : undefined;
  return own ?? names.join(',');
}

function publishers({ Ports }: ContainerSummary): readonly object[] {
  return (Ports ?? [])
    .toSorted((left, right) => left.PrivatePort - right.PrivatePort)
    .map(({ IP = '', PrivatePort, PublicPort = 0, Type }) => ({
      ...{ URL: IP, TargetPort: PrivatePort, PublishedPort: PublicPort, Protocol: Type },
    }));
}

function sizeOf({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, 3)})` : own;
}
