/** Where settings and certificates of registries lie. */
export const REGISTRY_DIRECTORIES: readonly string[] = ['/etc/wharf/certs.d', '/etc/docker/certs.d'];
