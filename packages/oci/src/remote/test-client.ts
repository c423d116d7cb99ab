import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, nullLogger, parseReference } from '@wharf/kit';
import type { ContentStore } from '../content/content-store.ts';
import { openContentStore } from '../content/fs-store.ts';
import type { Descriptor } from '../spec/image.ts';
import type { RegistryCredentials } from './credentials.ts';
import type { DownloadProgress } from './downloads.ts';
import { createRegistries, type Registries, type RegistrySettings } from './registries.ts';
import type { RemoteRepository } from './repository.ts';

/** A client of registries with a store in a temporary directory, for tests. */
export interface TestClient extends AsyncDisposable {
  readonly root: string;
  readonly content: ContentStore;
  readonly registries: Registries;
  open(name: string, credentials?: RegistryCredentials): Promise<RemoteRepository>;
  fetch(
    repository: RemoteRepository,
    descriptor: Descriptor,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: DownloadProgress) => void },
  ): Promise<Digest>;
}

export async function testClient(settings: Partial<RegistrySettings> = {}, at?: string): Promise<TestClient> {
  const root = at ?? mkdtempSync(join(tmpdir(), 'wharf-remote-'));
  const content = await openContentStore({ root });
  const all = { mirrors: [], insecure: [], directories: [], proxy: {}, ...settings };
  const registries = createRegistries({
    content,
    settings: () => ({ concurrentDownloads: 3, concurrentUploads: 5, downloadAttempts: 3, ...all }),
    userAgent: 'test',
    log: nullLogger,
  });
  return {
    root,
    content,
    registries,
    open: (name, credentials) => registries.repository(parseReference(name), credentials),
    async fetch(repository, descriptor, { signal = new AbortController().signal, onProgress } = {}) {
      const commit = (
        writer: Parameters<Parameters<Registries['downloads']['fetch']>[0]['commit']>[0],
        expected: object,
      ) => writer.commit(expected);
      const info = await registries.downloads.fetch({ repository, descriptor, commit, onProgress, signal });
      return info.digest;
    },
    async [Symbol.asyncDispose]() {
      registries.close();
      if (at === undefined) rmSync(root, { recursive: true, force: true });
    },
  };
}
