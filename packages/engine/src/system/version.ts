import type { SystemVersion } from '@wharf/wire/docker/types';
import { formatApiVersion, MAX_API_VERSION, MIN_API_VERSION } from '@wharf/wire/docker/versions';
import { goArchitecture, type HostFacts } from './host-facts.ts';
import type { ToolVersion } from './tool-versions.ts';

export interface VersionParts {
  readonly version: string;
  readonly host: HostFacts;
  /** Programs the engine runs containers with. */
  readonly tools: readonly (ToolVersion & { readonly name: string })[];
  /** `process.version`. */
  readonly nodeVersion: string;
}

/** `GET /version`. The fields named after Go and Git keep their names; what they hold is ours. Pure. */
export function toVersion({ version, host, tools, nodeVersion }: VersionParts): SystemVersion {
  const common = {
    ApiVersion: formatApiVersion(MAX_API_VERSION),
    MinAPIVersion: formatApiVersion(MIN_API_VERSION),
    GitCommit: version,
    GoVersion: `node${nodeVersion.replace(/^v/, '')}`,
    Os: 'linux',
    Arch: goArchitecture(host.architecture),
    KernelVersion: host.kernelVersion,
    BuildTime: '',
  };
  return {
    Platform: { Name: 'wharf' },
    Components: [
      { Name: 'Engine', Version: version, Details: { ...common, Experimental: 'false' } },
      ...tools.map(({ name, version: Version, commit }) => ({ Name: name, Version, Details: { GitCommit: commit } })),
    ],
    Version: version,
    ...common,
  };
}
