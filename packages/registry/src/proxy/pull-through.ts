import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Digest, isDigest, type Logger, messageOf, splitDigest, tryParseReference } from '@wharf/kit';
import { blobBytes } from '@wharf/oci/remote/blob-source';
import { statusOf } from '@wharf/oci/remote/registry-error';
import { RemoteRepository } from '@wharf/oci/remote/repository';
import { fetchDocument, resolve } from '@wharf/oci/remote/resolver';
import { SchemeMemory } from '@wharf/oci/remote/scheme-memory';
import { WebClient } from '@wharf/wire/http/web-client';
import { registryError } from '../errors.ts';
import { MAX_COUNTED, PROXY_RETRY_MS, PROXY_TAG_TTL_SECONDS } from '../limits.ts';
import { digestKey, tagKey } from '../model/indices.ts';
import { type Descriptor, parseManifest } from '../model/manifest.ts';
import { namespaceOf } from '../names.ts';
import type { Extension } from '../plug/extension.ts';
import type { Guard } from '../plug/guard.ts';
import type { RegistryParts } from '../registry.ts';
import type { ProxySettings } from './settings.ts';

const PROXY = 'system:proxy';

/**
 * Prefixes that are caches of other registries. What is asked for and is not here is fetched, verified and kept; simultaneous requests share one
 * download. A tag is looked up upstream again when its time is over; while the upstream does not answer, what is here is served.
 */
export class PullThrough {
  readonly #parts: RegistryParts;
  readonly #log: Logger;
  readonly #byPrefix: ReadonlyMap<string, ProxySettings>;
  readonly #client: WebClient;
  readonly #schemes = new SchemeMemory();
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<boolean>>();
  /** Until when a tag is served without a question. */
  readonly #fresh = new Map<string, number>();

  constructor(parts: RegistryParts, proxies: readonly ProxySettings[]) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#byPrefix = new Map(proxies.map((each) => [each.prefix, each]));
    this.#client = new WebClient({ userAgent: 'Wharf-Registry' });
  }

  /** Nobody pushes into a cache. */
  get guard(): Guard {
    const refuse = (repository: string): void => {
      const upstream = this.#byPrefix.get(namespaceOf(repository))?.upstream;
      if (upstream !== undefined)
        throw registryError('DENIED', `"${repository}" is a cache of "${upstream}" and takes no pushes`);
    };
    return {
      beforeUpload: ({ repository }) => refuse(repository),
      beforeManifest({ repository, manifest }) {
        if (manifest.by !== PROXY) refuse(repository);
      },
    };
  }

  get extension(): Extension {
    return {
      name: 'pull-through',
      findManifest: async ({ repository, reference }) =>
        this.#isProxied(repository) &&
        this.#once(`${repository} ${reference}`, () => this.#fetchManifest(repository, reference)),
      freshen: ({ repository, tag }) => {
        if (!this.#isProxied(repository) || this.#isFresh(repository, tag)) return undefined;
        if (this.#parts.catalog.tag(repository, tag) === undefined) return undefined;
        return this.#once(`${repository} ${tag}`, () => this.#freshen(repository, tag)).then(() => {});
      },
      findBlob: async ({ repository, digest }) =>
        this.#isProxied(repository) &&
        this.#once(digestKey(repository, digest), () => this.#fetchBlob(repository, digest)),
      close: async () => {
        this.#abort.abort();
        await Promise.allSettled(this.#running.values());
        this.#client.close();
      },
    };
  }

  #isProxied(repository: string): boolean {
    const prefix = namespaceOf(repository);
    return prefix !== repository && this.#byPrefix.has(prefix);
  }

  #isFresh(repository: string, tag: string): boolean {
    const until = this.#fresh.get(tagKey(repository, tag));
    return until !== undefined && until > this.#parts.now();
  }

  #once(key: string, work: () => Promise<boolean>): Promise<boolean> {
    let running = this.#running.get(key);
    if (running === undefined) {
      running = work().finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #open(repository: string, reference: string): Promise<RemoteRepository | undefined> {
    const proxy = this.#byPrefix.get(namespaceOf(repository));
    if (proxy === undefined) return undefined;
    const { upstream, prefix, username, passwordFile, insecure = false } = proxy;
    const name = `${upstream}/${repository.slice(prefix.length + 1)}${isDigest(reference) ? '@' : ':'}${reference}`;
    const parsed = tryParseReference(name);
    if (parsed === undefined) return undefined;
    const password = passwordFile === undefined ? undefined : readFileSync(passwordFile, 'utf8').trim();
    return RemoteRepository.open({
      ...{ client: this.#client, schemes: this.#schemes, reference: parsed, log: this.#log },
      settings: { mirrors: [], insecure: insecure ? [upstream] : [], directories: [] },
      credentials: username === undefined ? undefined : { username, password },
    });
  }

  /** Fetches a manifest and keeps it; false when the upstream has none, or does not answer. */
  async #fetchManifest(repository: string, reference: string): Promise<boolean> {
    try {
      const remote = await this.#open(repository, reference);
      if (remote === undefined) return false;
      const { descriptor, bytes } = await fetchDocument(remote, reference, { signal: this.#abort.signal });
      await this.#keep(
        repository,
        { digest: descriptor.digest, mediaType: descriptor.mediaType, bytes },
        isDigest(reference) ? [] : [reference],
      );
      return true;
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 401 || statusOf(error) === 403) return false;
      this.#log.warn({ repository, reference, error: messageOf(error) }, 'the upstream does not answer');
      return false;
    }
  }

  async #keep(
    repository: string,
    found: { digest: Digest; mediaType: string; bytes: Buffer },
    tags: readonly string[],
  ): Promise<void> {
    const { catalog, claims, storage, now } = this.#parts;
    const { digest, bytes } = found;
    const { blobs, children, subject, artifactType, annotations, mediaType } = parseManifest(bytes, found.mediaType);
    using _claim = await claims.claim(digest);
    await storage.put(digest, bytes);
    const manifest = {
      ...{ mediaType, sizeBytes: bytes.length, at: now(), by: PROXY },
      blobs: [...new Set(blobs.map((each) => each.digest))],
      children: [...new Set(children.map((each) => each.digest))],
      ...(subject === undefined ? {} : { subject }),
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    catalog.putManifest({ repository, digest, manifest, tags });
    for (const tag of tags) this.#setFresh(repository, tag);
    await catalog.committed();
  }

  #setFresh(repository: string, tag: string, forMs?: number): void {
    const seconds = this.#byPrefix.get(namespaceOf(repository))?.tagTtlSeconds ?? PROXY_TAG_TTL_SECONDS;
    this.#fresh.set(tagKey(repository, tag), this.#parts.now() + (forMs ?? seconds * 1000));
    for (const oldest of this.#fresh.keys()) {
      if (this.#fresh.size <= MAX_COUNTED) return;
      this.#fresh.delete(oldest);
    }
  }

  async #freshen(repository: string, tag: string): Promise<boolean> {
    try {
      const remote = await this.#open(repository, tag);
      if (remote === undefined) return false;
      const { digest } = await resolve(remote, this.#abort.signal);
      if (digest !== this.#parts.catalog.tag(repository, tag)?.digest)
        return await this.#fetchManifest(repository, tag);
      this.#setFresh(repository, tag);
      return true;
    } catch (error) {
      this.#log.warn(
        { repository, tag, error: messageOf(error) },
        'the upstream does not answer: the copy here is served',
      );
      this.#setFresh(repository, tag, PROXY_RETRY_MS);
      return false;
    }
  }

  /** Fetches a blob that a manifest of the repository names; others are nobody's to ask for. */
  async #fetchBlob(repository: string, digest: Digest): Promise<boolean> {
    const { catalog, claims, storage } = this.#parts;
    const descriptor = await this.#descriptorOf(repository, digest);
    if (descriptor === undefined) return false;
    using _claim = await claims.claim(digest);
    const stored = await storage.stat(digest);
    if (stored === undefined && !(await this.#download(repository, descriptor))) return false;
    catalog.linkBlob({ repository, digest, sizeBytes: descriptor.sizeBytes, by: PROXY, how: 'blob.push' });
    await catalog.committed();
    return true;
  }

  async #download(repository: string, { digest, sizeBytes }: Descriptor): Promise<boolean> {
    const { algorithm } = splitDigest(digest);
    const remote = await this.#open(repository, digest);
    if (remote === undefined || (algorithm !== 'sha256' && algorithm !== 'sha512')) return false;
    const upload = await this.#parts.storage.upload(randomUUID(), algorithm);
    try {
      const descriptor = { mediaType: 'application/octet-stream', digest, size: sizeBytes };
      for await (const chunk of blobBytes({ repository: remote, descriptor, from: 0, signal: this.#abort.signal }))
        await upload.write(chunk);
      await upload.commit(digest);
      return true;
    } catch (error) {
      await upload.discard().catch(() => {});
      this.#log.warn({ repository, digest, error: messageOf(error) }, 'a blob could not be fetched from the upstream');
      return false;
    }
  }

  /** A blob's size, which only the manifests that name it say. */
  async #descriptorOf(repository: string, digest: Digest): Promise<Descriptor | undefined> {
    const { catalog, storage } = this.#parts;
    if (!catalog.isNeeded(repository, digest)) return undefined;
    for (const { key, value } of catalog.manifests.list(`${repository}@`)) {
      if (!value.blobs.includes(digest)) continue;
      const manifest = parseManifest(await storage.read(key.slice(repository.length + 1) as Digest), value.mediaType);
      return manifest.blobs.find((each) => each.digest === digest);
    }
    return undefined;
  }
}
