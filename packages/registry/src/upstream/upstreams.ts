import { readFileSync } from 'node:fs';
import { isDigest, type Logger, tryParseReference } from '@wharf/kit';
import { RemoteRepository } from '@wharf/oci/remote/repository';
import { SchemeMemory } from '@wharf/oci/remote/scheme-memory';
import { WebClient } from '@wharf/wire/http/web-client';

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

/** Other registries, to read from. Connections are kept between uses. */
export class Upstreams {
  readonly #directories: readonly string[];
  readonly #log: Logger;
  readonly #client = new WebClient({ userAgent: 'Wharf-Registry' });
  readonly #schemes = new SchemeMemory();

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
    return RemoteRepository.open({
      ...{ client: this.#client, schemes: this.#schemes, reference: parsed, log: this.#log },
      settings: { mirrors: [], insecure: insecure ? [registry] : [], directories: this.#directories },
      credentials: username === undefined ? undefined : { username, password },
    });
  }

  close(): void {
    this.#client.close();
  }
}
