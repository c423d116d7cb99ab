import { type Digest, isDigest, type Logger, messageOf, type Reference, WharfError } from '@wharf/kit';
import type { WebClient } from '@wharf/wire/http/web-client';
import { type HostAnswer, type HostCall, RegistryConnection } from './connection.ts';
import type { RegistryCredentials } from './credentials.ts';
import { DOCKER_HUB, type HostSettings, type RegistryHost, registryHosts, serverOf } from './hosts.ts';
import { ANSWER_BYTES } from './limits.ts';
import { statusOf } from './registry-error.ts';
import type { SchemeMemory } from './scheme-memory.ts';

export interface RepositoryOptions {
  readonly client: WebClient;
  readonly settings: HostSettings;
  readonly schemes: SchemeMemory;
  readonly reference: Reference;
  readonly credentials: RegistryCredentials | undefined;
  readonly metaHeaders?: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/** A repository as one user sees it: the servers to ask for it, in order, each with its authorization. */
export class RemoteRepository {
  readonly reference: Reference;
  readonly #connections: readonly RegistryConnection[];
  /** The server that answered last is asked first for what follows. */
  #preferred: RegistryConnection | undefined;
  readonly #log: Logger;

  private constructor(reference: Reference, connections: readonly RegistryConnection[], log: Logger) {
    this.reference = reference;
    this.#connections = connections;
    this.#log = log;
  }

  /** Finds the servers of a reference's registry. Throws `failed-precondition` for a bad configuration. */
  static async open(options: RepositoryOptions): Promise<RemoteRepository> {
    const { reference, settings, credentials, log } = options;
    const hosts = await registryHosts(reference.domain, settings);
    const connections = hosts.map((host) => {
      const mayKnow = credentials !== undefined && knows(host, reference.domain, credentials);
      return new RegistryConnection({
        ...options,
        host,
        repository: reference.path,
        credentials: mayKnow ? credentials : undefined,
      });
    });
    return new RemoteRepository(reference, connections, log);
  }

  /** The registry itself, which alone takes pushes, unless the configuration gives another server that capability. */
  forPush(): RegistryConnection {
    const [first] = this.#connections.filter(({ host }) => host.capabilities.has('push'));
    if (first !== undefined) return first;
    throw new WharfError('failed-precondition', `no push host for "${this.reference.domain}" is configured`);
  }

  /**
   * Asks the servers one after the other until one answers. `verify` looks at an answer before it is accepted. Throws the error of
   * the registry itself, or of the last one asked.
   */
  async firstOf<T>(
    capability: 'pull' | 'resolve',
    call: HostCall,
    use: (answer: HostAnswer, connection: RegistryConnection) => Promise<T>,
  ): Promise<T> {
    const able = this.#connections.filter(({ host }) => host.capabilities.has(capability));
    const order = [...new Set([...(this.#preferred === undefined ? [] : [this.#preferred]), ...able])];
    let failure: unknown = new WharfError(
      'failed-precondition',
      `no ${capability} host for "${this.reference.domain}" is configured`,
    );
    for (const [index, connection] of order.entries()) {
      try {
        // A mirror that fails is passed over, not waited for.
        const attempts = index + 1 < order.length ? Math.min(2, call.attempts ?? 2) : call.attempts;
        const answer = await connection.send({ ...call, ...(attempts === undefined ? {} : { attempts }) });
        const result = await use(answer, connection);
        this.#preferred = connection;
        return result;
      } catch (error) {
        if (call.signal?.aborted === true) throw error;
        if (index + 1 < order.length) {
          this.#log.info(
            { host: connection.host.base.host, error: messageOf(error) },
            'a server is passed over for the next one',
          );
        }
        failure = error;
      }
    }
    throw failure;
  }

  /** All tags, in the registry's order (distribution-spec, "Listing Tags"). */
  async tags(signal?: AbortSignal): Promise<readonly string[]> {
    const { listTags } = await import('./tags.ts');
    return listTags(this, signal);
  }
}

/** True when the credentials are meant for this server: those for a registry go to it, never to its mirrors. */
function knows(host: RegistryHost, domain: string, { serverAddress }: RegistryCredentials): boolean {
  const given = (serverAddress ?? '').replace(/^https?:\/\//i, '').split('/')[0] ?? '';
  const meant = given === '' ? serverOf(domain) : given === 'index.docker.io' ? DOCKER_HUB : serverOf(given);
  return host.base.host === meant || (host.isOwn && meant === serverOf(domain));
}

/** The digest an answer says its content has. */
export function digestHeader(answer: HostAnswer): Digest | undefined {
  const value = answer.headers['docker-content-digest'];
  const text = Array.isArray(value) ? value[0] : value;
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** True for an error that says that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

export { ANSWER_BYTES };
