import { type Digest, isDigest, type Logger, messageOf, Semaphore } from '@wharf/kit';
import { listReferrers } from '@wharf/oci/remote/referrers';
import { statusOf } from '@wharf/oci/remote/registry-error';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import { fetchDocument, resolve } from '@wharf/oci/remote/resolver';
import { registryError } from '../errors.ts';
import {
  FOLLOWED_FROM_BYTES,
  MAX_COUNTED,
  PROXY_DOWNLOADS,
  PROXY_REFERRERS,
  PROXY_RETRY_MS,
  PROXY_TAG_TTL_SECONDS,
} from '../limits.ts';
import { tagKey } from '../model/indices.ts';
import { type Descriptor, parseManifest } from '../model/manifest.ts';
import { namespaceOf } from '../names.ts';
import type { ComingBlob, Extension } from '../plug/extension.ts';
import type { Guard } from '../plug/guard.ts';
import type { RegistryParts } from '../registry.ts';
import { Download, linkFetched } from '../upstream/download.ts';
import { keepManifest } from '../upstream/keep.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { ProxyCounts } from './counts.ts';
import type { ProxySettings } from './settings.ts';

const PROXY = 'system:proxy';

/**
 * Prefixes that are caches of other registries. What is asked for and is not here is fetched, verified and kept; simultaneous requests share one
 * download, and read along while it comes. A tag, and who refers to a manifest, is looked up upstream again when its time is over; while the
 * upstream does not answer, what is here is served.
 */
export class PullThrough {
  readonly #parts: RegistryParts;
  readonly #log: Logger;
  readonly #upstreams: Upstreams;
  readonly #byPrefix: ReadonlyMap<string, ProxySettings>;
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #downloads = new Map<string, Promise<Download | undefined>>();
  readonly #slots = new Semaphore(PROXY_DOWNLOADS);
  /** Until when a tag, or a list of referrers, is served without a question. */
  readonly #fresh = new Map<string, number>();
  readonly #counts: ProxyCounts;

  constructor(parts: RegistryParts, upstreams: Upstreams, proxies: readonly ProxySettings[]) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#upstreams = upstreams;
    this.#byPrefix = new Map(proxies.map((each) => [each.prefix, each]));
    this.#counts = new ProxyCounts([...this.#byPrefix.keys()]);
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
      freshen: ({ repository, tag }) => this.#freshen(repository, tag),
      findBlob: async ({ repository, digest }) => this.#isProxied(repository) && this.#findBlob(repository, digest),
      findReferrers: ({ repository, subject }) => {
        if (!this.#isProxied(repository) || this.#isFresh(tagKey(repository, subject))) return undefined;
        return this.#once(`${repository} <- ${subject}`, () => this.#fetchReferrers(repository, subject)).then(
          () => {},
        );
      },
      metrics: () => this.#counts.metrics(),
      close: async () => {
        this.#abort.abort();
        await Promise.allSettled([...this.#running.values(), ...this.#downloads.values()]);
      },
    };
  }

  #isProxied(repository: string): boolean {
    const prefix = namespaceOf(repository);
    return prefix !== repository && this.#byPrefix.has(prefix);
  }

  #isFresh(key: string): boolean {
    const until = this.#fresh.get(key);
    return until !== undefined && until > this.#parts.now();
  }

  #setFresh(repository: string, key: string, forMs?: number): void {
    const seconds = this.#byPrefix.get(namespaceOf(repository))?.tagTtlSeconds ?? PROXY_TAG_TTL_SECONDS;
    this.#fresh.set(key, this.#parts.now() + (forMs ?? seconds * 1000));
    for (const oldest of this.#fresh.keys()) {
      if (this.#fresh.size <= MAX_COUNTED) return;
      this.#fresh.delete(oldest);
    }
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
    const { upstream: registry, prefix } = proxy;
    return this.#upstreams.open({ ...proxy, registry, path: repository.slice(prefix.length + 1) }, reference);
  }

  /** What an upstream does not have, or does not show, is just not there; everything else is told. */
  #failed(repository: string, error: unknown, about: Readonly<Record<string, string>>, what: string): void {
    if (new Set([401, 403, 404]).has(statusOf(error) ?? 0)) return;
    this.#counts.of(repository).failures += 1;
    this.#log.warn({ repository, ...about, error: messageOf(error) }, what);
  }

  /** Fetches a manifest and keeps it; false when the upstream has none, or does not answer. */
  async #fetchManifest(repository: string, reference: string): Promise<boolean> {
    try {
      const remote = await this.#open(repository, reference);
      if (remote === undefined) return false;
      this.#counts.of(repository).manifests += 1;
      const { descriptor, bytes } = await fetchDocument(remote, reference, { signal: this.#abort.signal });
      const tags = isDigest(reference) ? [] : [reference];
      const { digest, mediaType } = descriptor;
      await keepManifest(this.#parts, { digest, mediaType, bytes }, { repository, tags, by: PROXY });
      for (const tag of tags) this.#setFresh(repository, tagKey(repository, tag));
      return true;
    } catch (error) {
      this.#failed(repository, error, { reference }, 'the upstream does not answer');
      return false;
    }
  }

  /** Before a manifest that is here is served by tag. */
  #freshen(repository: string, tag: string): Promise<void> | undefined {
    if (!this.#isProxied(repository) || this.#parts.catalog.tag(repository, tag) === undefined) return undefined;
    if (this.#isFresh(tagKey(repository, tag))) {
      this.#counts.of(repository).hits += 1;
      return undefined;
    }
    return this.#once(`${repository} ${tag}`, () => this.#lookUp(repository, tag)).then(() => {});
  }

  async #lookUp(repository: string, tag: string): Promise<boolean> {
    try {
      const remote = await this.#open(repository, tag);
      if (remote === undefined) return false;
      const { digest } = await resolve(remote, this.#abort.signal);
      if (digest !== this.#parts.catalog.tag(repository, tag)?.digest)
        return await this.#fetchManifest(repository, tag);
      this.#counts.of(repository).hits += 1;
      this.#setFresh(repository, tagKey(repository, tag));
      return true;
    } catch (error) {
      this.#counts.of(repository).stale += 1;
      const what = 'the upstream does not answer: the copy here is served';
      this.#failed(repository, error, { tag }, what);
      this.#setFresh(repository, tagKey(repository, tag), PROXY_RETRY_MS);
      return false;
    }
  }

  /** Has the manifests here that refer to one; those that are here already are not fetched again. */
  async #fetchReferrers(repository: string, subject: Digest): Promise<boolean> {
    const key = tagKey(repository, subject);
    try {
      const remote = await this.#open(repository, subject);
      if (remote === undefined) return false;
      const { catalog } = this.#parts;
      const found = await listReferrers(remote, subject, this.#abort.signal);
      for (const { digest } of found.slice(0, PROXY_REFERRERS)) {
        if (catalog.manifest(repository, digest) === undefined)
          await this.#once(`${repository} ${digest}`, () => this.#fetchManifest(repository, digest));
      }
      this.#setFresh(repository, key);
      return true;
    } catch (error) {
      this.#failed(repository, error, { subject }, 'the upstream does not say what refers to a manifest');
      this.#setFresh(repository, key, PROXY_RETRY_MS);
      return false;
    }
  }

  /** Finds a blob that a manifest of the repository names; others are nobody's to ask for. */
  async #findBlob(repository: string, digest: Digest): Promise<boolean | ComingBlob> {
    const { catalog, claims, storage } = this.#parts;
    const descriptor = await this.#descriptorOf(repository, digest);
    if (descriptor === undefined) return false;
    const { sizeBytes } = descriptor;
    if (!this.#downloads.has(digest)) {
      using _claim = await claims.claim(digest);
      if ((await storage.stat(digest)) !== undefined) {
        if (!(await this.#mayHave(repository, digest))) return false;
        linkFetched(this.#parts, { repository, digest, sizeBytes, by: PROXY });
        await catalog.committed();
        return true;
      }
    }
    const download = await this.#download(repository, descriptor);
    if (download === undefined) return false;
    if (sizeBytes < FOLLOWED_FROM_BYTES) return (await this.#whole(repository, descriptor, download)) === 'whole';
    this.#whole(repository, descriptor, download).catch(() => {});
    return {
      sizeBytes,
      open: async (range) => {
        const source = await download.follow(range).catch(() => undefined);
        if (source === undefined) await download.done;
        return source;
      },
    };
  }

  /**
   * True when a blob that is here for others may be shown: this cache has it elsewhere, or its upstream does. A manifest can name the
   * digest of anything, also of what another upstream keeps to itself.
   */
  async #mayHave(repository: string, digest: Digest): Promise<boolean> {
    const prefix = namespaceOf(repository);
    for (const user of this.#parts.catalog.usersOf(digest)) if (namespaceOf(user) === prefix) return true;
    try {
      const remote = await this.#open(repository, digest);
      const call = { method: 'HEAD', to: `blobs/${digest}`, signal: this.#abort.signal } as const;
      return (await remote?.firstOf('pull', call, async ({ body }) => Boolean(body.resume()))) ?? false;
    } catch (error) {
      this.#failed(repository, error, { digest }, 'the upstream does not say whether it has a blob');
      return false;
    }
  }

  /** One download of a digest, whoever asks for it. */
  #download(repository: string, descriptor: Descriptor): Promise<Download | undefined> {
    const { digest } = descriptor;
    let download = this.#downloads.get(digest);
    if (download === undefined) {
      download = this.#begin(repository, descriptor);
      this.#downloads.set(digest, download);
      download
        .then((begun) => begun?.done)
        .catch(() => {})
        .finally(() => this.#downloads.delete(digest));
    }
    return download;
  }

  #begin(repository: string, descriptor: Descriptor): Promise<Download | undefined> {
    const begun = Promise.withResolvers<Download | undefined>();
    const counts = this.#counts.of(repository);
    const received = (bytes: number): void => {
      counts.bytes += bytes;
    };
    const work = async (): Promise<void> => {
      const remote = await this.#open(repository, descriptor.digest);
      if (remote === undefined) return;
      // Held until the repository of whoever asked first names it.
      using _claim = await this.#parts.claims.claim(descriptor.digest);
      const options = { parts: this.#parts, remote, descriptor, signal: this.#abort.signal, received };
      counts.blobs += 1;
      const download = await Download.begin(options);
      begun.resolve(download);
      // Told once, however many wait for it.
      if ((await this.#whole(repository, descriptor, download)) === 'failed') counts.failures += 1;
    };
    this.#slots
      .run(work, { signal: this.#abort.signal })
      .catch((error: unknown) =>
        this.#failed(repository, error, { digest: descriptor.digest }, 'a blob could not be fetched from the upstream'),
      )
      .finally(() => begun.resolve(undefined));
    return begun.promise;
  }

  /** Waits for a download and notes that the repository has it. */
  async #whole(repository: string, { digest, sizeBytes }: Descriptor, download: Download): Promise<'whole' | 'failed'> {
    try {
      await download.done;
    } catch {
      return 'failed';
    }
    linkFetched(this.#parts, { repository, digest, sizeBytes, by: PROXY });
    await this.#parts.catalog.committed();
    return 'whole';
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
