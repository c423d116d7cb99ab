import { join } from 'node:path';
import type { ManagementSettings } from '@wharf/registry/management';
import { REGISTRY_DIRECTORIES } from '../config/registry-directories.ts';
import type { RegistrySettings } from './settings.ts';

/** What a registry is managed by, out of its settings. */
export function managementSettings(settings: RegistrySettings, isServing = true): ManagementSettings {
  const {
    root,
    accessControl = false,
    service = 'wharf-registry',
    publicUrl,
    tls,
    rateLimits = {},
    proxies = [],
    registryDirectories = REGISTRY_DIRECTORIES,
  } = settings;
  const auditLog = settings.auditLog ?? join(root, 'audit.log');
  return {
    ...{
      root,
      accessControl,
      service,
      publicUrl,
      rateLimits,
      proxies,
      registryDirectories,
      isServing,
      isTls: tls !== undefined,
    },
    auditLog: auditLog === 'none' ? undefined : auditLog,
  };
}
