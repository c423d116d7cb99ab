import { parseBytes, WharfError } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, parsePlatform } from '@wharf/oci/spec/platform';
import type { StepLimits } from '@wharf/oci/steps/step';
import { type Subrequest, subrequestOf } from '../checks/subrequests.ts';

/** What a client tells the Dockerfile front end (BuildKit, dockerui `config.go`). */
export interface FrontendOptions {
  readonly filename: string;
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** Empty for the builder's own. */
  readonly platforms: readonly Platform[];
  /** One platform's result is to look like one of several. */
  readonly multiPlatform: boolean;
  readonly noCache: boolean;
  /** Stages whose steps do not come from the cache. */
  readonly noCacheStages: readonly string[];
  readonly pull: boolean;
  readonly extraHosts: readonly string[];
  readonly network: string;
  readonly limits: StepLimits;
  /** What is asked about the Dockerfile instead of building it. */
  readonly question: Subrequest | undefined;
}

/** Reads them. Throws `not-implemented` for what this builder does not have yet. */
export function frontendOptions(given: Readonly<Record<string, string>>): FrontendOptions {
  const platforms = (given['platform'] ?? '').split(',').filter((each) => each !== '');
  return {
    filename: given['filename'] ?? 'Dockerfile',
    target: given['target'] || undefined,
    buildArgs: new Map([
      ...(given['hostname'] ? [['BUILDKIT_SANDBOX_HOSTNAME', given['hostname']] as const] : []),
      ...withPrefix(given, 'build-arg:'),
    ]),
    labels: Object.fromEntries(withPrefix(given, 'label:')),
    platforms: uniquePlatforms(platforms.map((each) => parsePlatform(each))),
    multiPlatform: given['multi-platform'] === 'true',
    noCache: given['no-cache'] === '',
    noCacheStages: (given['no-cache'] ?? '').split(',').filter((each) => each !== ''),
    pull: given['image-resolve-mode'] === 'pull',
    extraHosts: (given['add-hosts'] ?? '')
      .split(',')
      .filter((each) => each !== '')
      .map((each) => each.replace('=', ':')),
    network: given['force-network-mode'] || 'default',
    limits: limitsOf(given),
    question: questionOf(given['requestid']),
  };
}

function uniquePlatforms(platforms: readonly Platform[]): readonly Platform[] {
  return [...new Map(platforms.map((each) => [formatPlatform(each), each])).values()];
}

/** In the order of their names: clients send them in another one each time, and the same build is to give the same image. */
function withPrefix(given: Readonly<Record<string, string>>, prefix: string): readonly (readonly [string, string])[] {
  return Object.entries(given)
    .flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : []))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function questionOf(id: string | undefined): Subrequest | undefined {
  if (id === undefined) return undefined;
  const found = subrequestOf(id);
  // The words of BuildKit, which clients look for.
  if (found === undefined) throw new WharfError('not-implemented', `unsupported request ${id}`);
  return found;
}

function limitsOf(given: Readonly<Record<string, string>>): StepLimits {
  const shm = given['shm-size'];
  const ulimits = (given['ulimit'] ?? '').split(',').flatMap((text) => {
    const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
    if (match === null) return [];
    const [, Name = '', soft = '0', hard = soft] = match;
    return [{ Name, Soft: Number(soft), Hard: Number(hard) }];
  });
  return {
    ...(shm ? { shmSizeBytes: parseBytes(shm) } : {}),
    ...(given['cgroup-parent'] ? { cgroupParent: given['cgroup-parent'] } : {}),
    ...(ulimits.length > 0 ? { ulimits } : {}),
  };
}
