import type { DockerClient } from '@wharf/wire/docker-client/client';
import { containerPath } from './path.ts';

/** What attaching to a container, and reading its log, needs to know of it. */
export interface ContainerState {
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly autoRemove: boolean;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  readonly isRestarting: boolean;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State?: { readonly Running?: boolean; readonly Paused?: boolean; readonly Restarting?: boolean };
  readonly Config?: { readonly Tty?: boolean; readonly OpenStdin?: boolean };
  readonly HostConfig?: { readonly AutoRemove?: boolean };
}

/** Inspects a container. */
export async function containerState(client: DockerClient, nameOrId: string): Promise<ContainerState> {
  const found = await client.json<Inspected>('GET', containerPath(nameOrId, '/json'));
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    tty: found.Config?.Tty === true,
    openStdin: found.Config?.OpenStdin === true,
    autoRemove: found.HostConfig?.AutoRemove === true,
    isRunning: found.State?.Running === true,
    isPaused: found.State?.Paused === true,
    isRestarting: found.State?.Restarting === true,
  };
}
