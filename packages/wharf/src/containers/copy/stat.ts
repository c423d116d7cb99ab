import type { DockerClient } from '@wharf/wire/docker-client/client';
import { containerPath } from '../path.ts';

/** What the daemon says of a path in a container (Engine API, "Get information about files in a container"). */
export interface ContainerStat {
  readonly isDirectory: boolean;
  readonly isLink: boolean;
  readonly isDevice: boolean;
  readonly linkTarget: string;
}

/** Bits of Go's os.FileMode. */
const DIRECTORY = 2 ** 31;
const LINK = 2 ** 27;
const DEVICE = 2 ** 26;

/** Asks for a path. Throws where there is none. */
export async function statInContainer(client: DockerClient, container: string, path: string): Promise<ContainerStat> {
  const answer = await client.stream('HEAD', containerPath(container, '/archive'), { query: { path } });
  answer.discard();
  return parseStat(answer.headers['x-docker-container-path-stat']);
}

/** Reads the header that comes with an archive too. */
export function parseStat(header: string | undefined): ContainerStat {
  const { mode = 0, linkTarget = '' } = JSON.parse(Buffer.from(header ?? 'e30=', 'base64').toString('utf8')) as {
    readonly mode?: number;
    readonly linkTarget?: string;
  };
  const has = (bit: number): boolean => Math.floor(mode / bit) % 2 === 1;
  return { isDirectory: has(DIRECTORY), isLink: has(LINK), isDevice: has(DEVICE), linkTarget };
}
