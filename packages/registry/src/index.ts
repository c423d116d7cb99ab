export { AccessLog } from './access-log.ts';
export { registryError } from './errors.ts';
export { MonitorServer } from './http/monitor.ts';
export { RegistryMetrics } from './metrics.ts';
export { type Access, type AccessRequest, type Action, type Identity, openAccess } from './plug/access.ts';
export type { Extension } from './plug/extension.ts';
export type { Guard } from './plug/guard.ts';
export { openRegistry, type Registry, type RegistryOptions, type RegistryParts } from './registry.ts';
