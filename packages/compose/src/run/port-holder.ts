import type { ContainerSummary } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { DaemonError } from '@wharf/wire/docker-client/errors';
import { PROJECT } from '../convert/labels.ts';
import { canonicalName } from '../convert/names.ts';

const TAKEN = /:(\d+)(?:\/\w+)? failed: port is already allocated|host port \S*:(\d+)\/\w+: address already in use/;

/** The error of a start, with who has the port where that is what it is about. */
export async function withPortHolder(client: DockerClient, error: unknown): Promise<unknown> {
  if (!(error instanceof DaemonError)) return error;
  const found = TAKEN.exec(error.daemonMessage);
  if (found === null) return error;
  const port = Number(found[1] ?? found[2]);
  const hint = await holderOf(client, port);
  return new DaemonError(error.status, error.daemonMessage, { message: error.message, hint });
}

async function holderOf(client: DockerClient, port: number): Promise<string> {
  try {
    const running = await client.json<readonly ContainerSummary[]>('GET', '/containers/json');
    const holder = running.find(({ Ports }) => (Ports ?? []).some(({ PublicPort }) => PublicPort === port));
    if (holder !== undefined) {
      const project = holder.Labels?.[PROJECT];
      const of = project === undefined ? '' : ` of project ${project}`;
      return `Port ${port} is published by container ${canonicalName(holder.Names, holder.Id)}${of}: stop that, or publish another port.`;
    }
  } catch {
    // The error itself says enough.
  }
  return `Another program of this machine has port ${port} (ss -ltnp 'sport = :${port}' tells which): end it, or publish another port.`;
}
