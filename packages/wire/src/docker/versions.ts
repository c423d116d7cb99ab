import { WharfError } from '@wharf/kit';
import type { ApiVersion } from '../http/route.ts';

/** The newest Engine API version served, and the one a request without `/v1.xx` prefix gets. */
export const MAX_API_VERSION: ApiVersion = { major: 1, minor: 56 };

/** The oldest Engine API version served. */
export const MIN_API_VERSION: ApiVersion = { major: 1, minor: 24 };

/** The range of versions a server accepts. */
export interface ApiVersionRange {
  readonly min: ApiVersion;
  readonly max: ApiVersion;
}

export const DOCKER_API_VERSIONS: ApiVersionRange = { min: MIN_API_VERSION, max: MAX_API_VERSION };

/** Parses `1.44`; `undefined` for anything else. */
export function parseApiVersion(text: string): ApiVersion | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})$/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined;
}

/** `1.44`. */
export function formatApiVersion(version: ApiVersion): string {
  return `${version.major}.${version.minor}`;
}

/** Negative when `a` is older than `b`, 0 when equal, positive when newer. */
export function compareApiVersions(a: ApiVersion, b: ApiVersion): number {
  return a.major - b.major || a.minor - b.minor;
}

/** Reads the version of a path's `/v…` prefix as leniently as dockerd: `1` is 1.0. `undefined` for what is none. */
export function parseVersionPrefix(text: string): ApiVersion | undefined {
  const match = /^(\d{1,4})(?:\.(\d{1,4}))?(?:\.\d{1,4})*$/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2] ?? 0) } : undefined;
}

/**
 * Throws `invalid-argument` with dockerd's sentences, which clients show and some match on, when out of range.
 * `shown` is the version as the client wrote it.
 */
export function checkApiVersion(version: ApiVersion, { min, max }: ApiVersionRange, shown?: string): void {
  const client = shown ?? formatApiVersion(version);
  if (compareApiVersions(version, min) < 0) {
    throw new WharfError(
      'invalid-argument',
      `client version ${client} is too old. Minimum supported API version is ${formatApiVersion(min)}, please upgrade your client to a newer version`,
    );
  }
  if (compareApiVersions(version, max) > 0) {
    throw new WharfError(
      'invalid-argument',
      `client version ${client} is too new. Maximum supported API version is ${formatApiVersion(max)}`,
    );
  }
}
