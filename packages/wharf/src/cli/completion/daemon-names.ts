import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerClient } from '@wharf/wire/docker-client/client';
import { clientConfigDirectory } from '@wharf/wire/docker-client/config-directory';
import { endpointChoice, type Globals } from '../global-flags.ts';
import type { Candidate, NamePlace } from './complete.ts';

/** How long somebody at a prompt waits for names, in milliseconds. */
const PATIENCE_MS = 1500;

/** Names of what the daemon has, for the shell. A daemon that is not there has none: nobody wants an error in the middle of a line. */
export async function daemonNames(kind: string, place: NamePlace): Promise<readonly Candidate[]> {
  try {
    if (kind === 'context') return contextNames();
    if (kind === 'service' || kind === 'profile') {
      const { projectNames } = await import('./project-names.ts');
      return await projectNames(kind, place.groupLine);
    }
    const source = Object.hasOwn(SOURCES, kind) ? SOURCES[kind] : undefined;
    return source === undefined ? [] : await source(new Asking(place));
  } catch {
    return [];
  }
}

class Asking {
  readonly #client: DockerClient;

  constructor({ globals }: NamePlace) {
    const given = new Set(
      Object.keys(globals).filter((name) => globals[name] !== undefined && globals[name] !== false),
    );
    this.#client = DockerClient.find(endpointChoice({ values: globals, given } as unknown as Globals));
  }

  async get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.#client.json('GET', path, { query, signal: AbortSignal.timeout(PATIENCE_MS) })) as T;
  }
}

type Source = (asking: Asking) => Promise<readonly Candidate[]>;

const SOURCES: Readonly<Record<string, Source>> = {
  container: (asking) => containers(asking, ['all', '1']),
  'running-container': (asking) => containers(asking, ['all', '0']),
  'stopped-container': (asking) => containers(asking, ['filters', '{"status":["created","exited","dead"]}']),
  image: images,
  network: async (asking) => {
    const found = await asking.get<readonly { readonly Name: string; readonly Driver: string }[]>('/networks');
    return found.map(({ Name, Driver }) => ({ value: Name, help: Driver }));
  },
  volume: async (asking) => {
    const { Volumes } = await asking.get<{ readonly Volumes: readonly { readonly Name: string }[] | null }>('/volumes');
    return (Volumes ?? []).map(({ Name }) => ({ value: Name }));
  },
  'builder-cache': async (asking) => {
    const found = await asking.get<readonly { readonly ID: string }[]>('/wharf/builder/caches');
    return found.map(({ ID }) => ({ value: ID }));
  },
};

async function containers(asking: Asking, [key, value]: readonly [string, string]): Promise<readonly Candidate[]> {
  type Row = { readonly Names: readonly string[]; readonly Image: string; readonly Status: string };
  const found = await asking.get<readonly Row[]>('/containers/json', { [key]: value });
  return found.flatMap(({ Names, Image, Status }) =>
    // A name with two slashes is another container's word for it (a link).
    Names.filter((name) => !name.slice(1).includes('/')).map((name) => ({
      value: name.slice(1),
      help: `${Image}, ${Status}`,
    })),
  );
}

async function images(asking: Asking): Promise<readonly Candidate[]> {
  const found = await asking.get<readonly { readonly RepoTags: readonly string[] | null }[]>('/images/json');
  return found.flatMap(({ RepoTags }) =>
    (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').map((value) => ({ value })),
  );
}

function contextNames(): readonly Candidate[] {
  const root = join(clientConfigDirectory(), 'contexts/meta');
  const stored = readdirSync(root).map((folder) => {
    const { Name = '' } = JSON.parse(readFileSync(join(root, folder, 'meta.json'), 'utf8')) as {
      readonly Name?: string;
    };
    return { value: Name };
  });
  return [{ value: 'default' }, ...stored];
}
