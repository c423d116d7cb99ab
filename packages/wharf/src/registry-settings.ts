import type { OwnRegistry } from '@wharf/oci/remote/hosts';
import { type ProxySettings, proxyOfEnvironment } from '@wharf/oci/remote/proxy';
import type { RegistrySettings } from '@wharf/oci/remote/registries';
import type { DaemonConfig } from './config/daemon-config.ts';

/** What the client of registries goes by at this moment: the configuration, and for proxies the environment behind it. */
export function registrySettings(
  config: DaemonConfig,
  environment: Readonly<Record<string, string | undefined>>,
  own: OwnRegistry | undefined,
): RegistrySettings {
  const inherited: ProxySettings = proxyOfEnvironment(environment);
  return {
    own,
    mirrors: config.registryMirrors,
    insecure: config.insecureRegistries,
    directories: config.registryDirectories,
    proxy: {
      httpProxy: config.httpProxy ?? inherited.httpProxy,
      httpsProxy: config.httpsProxy ?? inherited.httpsProxy,
      noProxy: config.noProxy ?? inherited.noProxy,
    },
    concurrentDownloads: config.maxConcurrentDownloads,
    concurrentUploads: config.maxConcurrentUploads,
    downloadAttempts: config.maxDownloadAttempts,
  };
}
