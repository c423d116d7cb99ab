import type { Logger, Reference } from '@wharf/kit';
import { WebClient } from '@wharf/wire/http/web-client';
import type { ContentStore } from '../content/content-store.ts';
import type { RegistryCredentials } from './credentials.ts';
import { Downloads } from './downloads.ts';
import type { HostSettings } from './hosts.ts';
import { login } from './login.ts';
import { type ProxySettings, proxyFor } from './proxy.ts';
import { RemoteRepository } from './repository.ts';
import { SchemeMemory } from './scheme-memory.ts';
import { type SearchResult, searchImages } from './search.ts';
import { TransferSlots } from './transfer-slots.ts';

/** The daemon's settings for registries; asked anew for each operation, so they may change at any time. */
export interface RegistrySettings extends HostSettings {
  readonly proxy: ProxySettings;
  readonly concurrentDownloads: number;
  readonly concurrentUploads: number;
  readonly downloadAttempts: number;
}

/** The way to all registries: connections, transfers and their bounds are shared by the whole daemon. */
export interface Registries {
  readonly client: WebClient;
  readonly downloads: Downloads;
  readonly uploads: TransferSlots;
  readonly settings: () => RegistrySettings;
  repository(
    reference: Reference,
    credentials: RegistryCredentials | undefined,
    metaHeaders?: Readonly<Record<string, string>>,
    /** `insecure`: the registry may do without a certificate that is trusted here, or without any. */
    options?: { readonly insecure?: boolean },
  ): Promise<RemoteRepository>;
  /** Checks credentials; returns the identity token, or `''`. */
  login(serverAddress: string, credentials: RegistryCredentials, signal: AbortSignal): Promise<string>;
  search(
    query: { readonly term: string; readonly limit: number; readonly credentials: RegistryCredentials | undefined },
    signal: AbortSignal,
  ): Promise<readonly SearchResult[]>;
  /** Call it after the settings have changed. */
  settingsChanged(): void;
  close(): void;
}

export function createRegistries(deps: {
  readonly content: ContentStore;
  readonly settings: () => RegistrySettings;
  readonly userAgent: string;
  readonly log: Logger;
}): Registries {
  const { content, settings, userAgent, log } = deps;
  const client = new WebClient({ userAgent, proxyFor: (url) => proxyFor(url, settings().proxy) });
  const schemes = new SchemeMemory();
  const downloadSlots = new TransferSlots(() => settings().concurrentDownloads);
  const uploads = new TransferSlots(() => settings().concurrentUploads);
  return {
    client,
    uploads,
    settings,
    downloads: new Downloads({ content, slots: downloadSlots, log, attempts: () => settings().downloadAttempts }),
    repository(reference, credentials, metaHeaders = {}, { insecure = false } = {}) {
      const own = settings();
      const given = insecure ? { ...own, insecure: [...own.insecure, reference.domain] } : own;
      return RemoteRepository.open({ client, settings: given, schemes, reference, credentials, metaHeaders, log });
    },
    login: (serverAddress, credentials, signal) =>
      login({ client, settings: settings(), schemes, serverAddress, credentials, log, signal }),
    search: (query, signal) => searchImages({ client, settings: settings(), schemes, ...query, signal }),
    settingsChanged() {
      downloadSlots.wake();
      uploads.wake();
    },
    close: () => client.close(),
  };
}
