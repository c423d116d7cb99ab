import { readFileSync } from 'node:fs';
import { isDigest, type Logger, tryParseReference } from '@wharf/kit';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import type { SchemeMemory } from '@wharf/oci/remote/scheme-memory';
import type { WebClient } from '@wharf/wire/http/web-client';

/** A repository of another registry, and by which account it is asked. */
export interface UpstreamPlace {
  /** `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  readonly path: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** The file that holds the password, read at each use. */
  readonly passwordFile?: string | undefined;
  /** Plain HTTP, or TLS with any certificate. */
  readonly insecure?: boolean | undefined;
}

interface Tools {
  readonly client: WebClient;
  readonly schemes: SchemeMemory;
  readonly open: typeof RemoteRepository.open;
}

/** Other registries, to read from. Connections are kept between uses. What speaks to them is loaded when the first is asked. */
export class Upstreams {
  readonly #directories: readonly string[];
  readonly #log: Logger;
  #tools: Promise<Tools> | undefined;

  /** `directories` hold authorities and certificates of registries, as docker's `certs.d` does. */
  constructor(directories: readonly string[], log: Logger) {
    this.#directories = directories;
    this.#log = log;
  }

  /** Opens a repository for what a tag or digest names; `undefined` when that is no name. Asks nobody yet. */
  async open(place: UpstreamPlace, reference: string): Promise<RemoteRepository | undefined> {
    const { registry, path, username, insecure = false } = place;
    const parsed = tryParseReference(`${registry}/${path}${isDigest(reference) ? '@' : ':'}${reference}`);
    if (parsed === undefined) return undefined;
    const password = place.password ?? (place.passwordFile && readFileSync(place.passwordFile, 'utf8').trim());
    this.#tools ??= loadTools();
    const { client, schemes, open } = await this.#tools;
    return open({
      ...{ client, schemes, reference: parsed, log: this.#log },
      settings: { mirrors: [], insecure: insecure ? [registry] : [], directories: this.#directories },
      credentials: username === undefined ? undefined : { username, password },
    });
  }

  async close(): Promise<void> {
    (await this.#tools)?.client.close();
  }
}

async function loadTools(): Promise<Tools> {
  const [{ RemoteRepository: Repository }, { SchemeMemory: Schemes }, { WebClient: Client }] = await Promise.all([
    import('@wharf/oci/remote/repository'),
    import('@wharf/oci/remote/scheme-memory'),
    import('@wharf/wire/http/web-client'),
  ]);
  return {
    client: new Client({ userAgent: 'Wharf-Registry' }),
    schemes: new Schemes(),
    open: (options) => Repository.open(options),
  };
}
