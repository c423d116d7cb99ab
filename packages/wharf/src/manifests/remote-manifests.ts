import { type Digest, parseDigest } from '@wharf/kit/digest';
import { isKind, WharfError } from '@wharf/kit/errors';
import { nullLogger } from '@wharf/kit/log';
import { formatCanonical, type Reference } from '@wharf/kit/reference';
import { credentialsOfAuth } from '@wharf/oci/remote/credentials';
import { MANIFEST_BYTES } from '@wharf/oci/remote/limits';
import { proxyFor, proxyOfEnvironment } from '@wharf/oci/remote/proxy';
import { isMissing, RemoteRepository } from '@wharf/oci/remote/repository';
import { SchemeMemory } from '@wharf/oci/remote/scheme-memory';
import { DOCKER_INDEX, DOCKER_MANIFEST, isIndexType, OCI_INDEX, OCI_MANIFEST } from '@wharf/oci/spec/media-types';
import { readReply } from '@wharf/wire/http/read-reply';
import { WebClient } from '@wharf/wire/http/web-client';
import { DockerConfig } from '../client-config/docker-config.ts';
import { type ImageManifest, type ManifestDocument, type ManifestPlatform, orderedPlatform } from './image-manifest.ts';

const ACCEPT = [DOCKER_MANIFEST, OCI_MANIFEST, DOCKER_INDEX, OCI_INDEX].join(', ');
const PUSH = ['pull', 'push'];

interface Fetched {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

interface IndexDocument {
  readonly manifests?: readonly { readonly digest: Digest; readonly platform?: ManifestPlatform }[];
}

/** Manifests in registries, read and written without a daemon: with the client's own logins. */
export class RemoteManifests implements Disposable {
  readonly #client: WebClient;
  readonly #schemes = new SchemeMemory();
  readonly #insecure: boolean;
  readonly #signal: AbortSignal;
  readonly #config = new DockerConfig();

  constructor(options: { readonly insecure: boolean; readonly signal: AbortSignal }) {
    const proxies = proxyOfEnvironment(process.env);
    this.#client = new WebClient({ userAgent: 'Wharf-Client (linux)', proxyFor: (url) => proxyFor(url, proxies) });
    this.#insecure = options.insecure;
    this.#signal = options.signal;
  }

  /** The manifest of one image. Throws `not-found`, and `invalid-argument` for a list. */
  async image(reference: Reference): Promise<ImageManifest> {
    const repository = await this.#open(reference);
    const fetched = await this.#fetch(repository, reference);
    if (isIndexType(fetched.mediaType)) {
      throw new WharfError('invalid-argument', `${formatCanonical(reference)} is a manifest list`, { code: 'is-list' });
    }
    return this.#describe(repository, reference, fetched);
  }

  /** The images of a list, or the one that is no list. */
  async inspect(reference: Reference): Promise<ImageManifest | readonly ImageManifest[]> {
    const repository = await this.#open(reference);
    const fetched = await this.#fetch(repository, reference);
    if (!isIndexType(fetched.mediaType)) return this.#describe(repository, reference, fetched);
    const { manifests = [] } = JSON.parse(fetched.bytes.toString('utf8')) as IndexDocument;
    const found: ImageManifest[] = [];
    for (const { digest, platform } of manifests) {
      const one = { ...reference, digest };
      const described = await this.#describe(repository, one, await this.#fetch(repository, one));
      found.push({ ...described, Descriptor: { ...described.Descriptor, platform: orderedPlatform(platform ?? {}) } });
    }
    return found;
  }

  /** Puts a document under a tag or a digest; returns its digest. */
  async put(reference: Reference, { mediaType, bytes }: Fetched): Promise<Digest> {
    const connection = (await this.#open(reference)).forPush();
    const to = `manifests/${reference.digest ?? reference.tag ?? 'latest'}`;
    const headers = { 'content-type': mediaType };
    await connection.read({ method: 'PUT', to, headers, body: bytes, actions: PUSH, signal: this.#signal });
    return digestOf(bytes);
  }

  /** Makes a blob of another repository of the same registry one of this, without sending it. */
  async mount(target: Reference, from: string, digest: string): Promise<void> {
    const connection = (await this.#open(target)).forPush();
    const query = { mount: digest, from };
    const call = {
      method: 'POST',
      to: 'blobs/uploads/',
      query,
      actions: PUSH,
      alsoFrom: [from],
      signal: this.#signal,
    } as const;
    const { answer } = await connection.read(call);
    if (answer.status === 201) return;
    throw new WharfError('unavailable', `error mounting ${from}@${digest} to ${formatCanonical(target)}`);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #open(reference: Reference): Promise<RemoteRepository> {
    const login = await this.#config.login(reference.domain);
    const settings = {
      mirrors: [],
      directories: ['/etc/docker/certs.d'],
      insecure: this.#insecure ? [reference.domain] : [],
    };
    const credentials = credentialsOfAuth(login);
    return RemoteRepository.open({
      client: this.#client,
      settings,
      schemes: this.#schemes,
      reference,
      credentials,
      log: nullLogger,
    });
  }

  async #fetch(repository: RemoteRepository, reference: Reference): Promise<Fetched> {
    const to = `manifests/${reference.digest ?? reference.tag ?? 'latest'}`;
    try {
      return await repository.firstOf(
        'resolve',
        { method: 'GET', to, headers: { accept: ACCEPT }, signal: this.#signal },
        async (answer) => {
          const bytes = await readReply(answer.body, MANIFEST_BYTES);
          const mediaType = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
          return { mediaType, bytes };
        },
      );
    } catch (error) {
      if (!isMissing(error) && !isKind(error, 'unauthenticated')) throw asPing(error);
      const message = `no such manifest: ${formatCanonical(reference)}`;
      throw new WharfError('not-found', message, { cause: error });
    }
  }

  async #describe(
    repository: RemoteRepository,
    reference: Reference,
    { mediaType, bytes }: Fetched,
  ): Promise<ImageManifest> {
    const digest = digestOf(bytes);
    if (reference.digest !== undefined && reference.digest !== digest) {
      throw new WharfError('data-loss', `manifest verification failed for digest ${reference.digest}`);
    }
    const document = JSON.parse(bytes.toString('utf8')) as ManifestDocument;
    const platform = await this.#platformOf(repository, document);
    const isOci = mediaType === OCI_MANIFEST;
    if (!isOci && mediaType !== DOCKER_MANIFEST) {
      throw new WharfError('invalid-argument', `${formatCanonical(reference)} is not a manifest`);
    }
    return {
      Ref: formatCanonical(reference),
      Descriptor: { mediaType, digest, size: bytes.length, platform },
      Raw: bytes.toString('base64'),
      ...(isOci ? { OCIManifest: document } : { SchemaV2Manifest: document }),
    };
  }

  async #platformOf(repository: RemoteRepository, { config }: ManifestDocument): Promise<ManifestPlatform> {
    if (config === undefined) return orderedPlatform({});
    const call = { method: 'GET', to: `blobs/${config.digest}`, signal: this.#signal } as const;
    const bytes = await repository.firstOf('pull', call, (answer) => readReply(answer.body, MANIFEST_BYTES));
    if (digestOf(bytes) !== config.digest) {
      throw new WharfError('data-loss', `image config verification failed for digest ${config.digest}`);
    }
    return orderedPlatform(JSON.parse(bytes.toString('utf8')) as Partial<ManifestPlatform>);
  }
}

/** A registry that cannot be reached, in docker's words: its client asks for /v2/ before anything else. */
function asPing(error: unknown): unknown {
  const found =
    error instanceof Error ? /^Get "(https?:\/\/[^/"]+\/v2\/)[^"]*": (dial .*)$/s.exec(error.message) : null;
  if (found === null) return error;
  const message = `failed to configure transport: error pinging v2 registry: Get "${found[1] ?? ''}": ${found[2] ?? ''}`;
  return new WharfError('unavailable', message, { cause: error });
}

function digestOf(bytes: Buffer): Digest {
  return parseDigest(`sha256:${process.getBuiltinModule('node:crypto').hash('sha256', bytes, 'hex')}`);
}
