import { WharfError } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, parsePlatform } from '@wharf/oci/spec/platform';

const SCOPES = ['index', 'index-descriptor', 'manifest', 'manifest-descriptor'] as const;

/** Where in an image an annotation goes: a document, or the descriptor that points at it. */
type Scope = (typeof SCOPES)[number];

/** One annotation that a client wants an image to have. */
export interface Annotation {
  readonly scope: Scope;
  /** The platform whose manifest it is for; all when absent. */
  readonly platform?: string;
  readonly key: string;
  readonly value: string;
}

const PREFIX = 'annotation';

/**
 * Reads an exporter's `annotation[-SCOPE][[PLATFORM]].KEY` (BuildKit, "Image annotations"). `undefined` for other attributes; throws
 * `invalid-argument` for an unknown scope.
 */
export function annotationOf(attribute: string, value: string): Annotation | undefined {
  if (!attribute.startsWith(PREFIX)) return undefined;
  const match = /^annotation(?:-([a-z-]{1,32}))?(?:\[([A-Za-z0-9_/-]{1,64})\])?\.(\S+)$/.exec(attribute);
  if (match === null) return undefined;
  const [, given = 'manifest', platform, key = ''] = match;
  const scope = SCOPES.find((each) => each === given);
  if (scope === undefined) throw new WharfError('invalid-argument', `unrecognized annotation type ${given}`);
  return {
    scope,
    key,
    value,
    ...(platform === undefined ? {} : { platform: formatPlatform(parsePlatform(platform)) }),
  };
}

/** The annotations of one place, for a platform where it belongs to one; `undefined` when there are none. */
export function annotationsAt(
  annotations: readonly Annotation[],
  scope: Scope,
  platform?: Platform,
): Readonly<Record<string, string>> | undefined {
  const own = platform === undefined ? undefined : formatPlatform(platform);
  const here = annotations.filter((each) => each.scope === scope);
  // Those for one platform win over those for all.
  const chosen = [
    ...here.filter((each) => each.platform === undefined),
    ...here.filter((each) => each.platform !== undefined && (own === undefined || each.platform === own)),
  ];
  if (chosen.length === 0) return undefined;
  const entries = chosen.map(({ key, value }) => [key, value] as const);
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Throws `invalid-argument` for an annotation of a platform that is not built, or of an index that is not made. */
export function checkAnnotations(
  annotations: readonly Annotation[],
  { platforms, isIndex }: { readonly platforms: readonly Platform[]; readonly isIndex: boolean },
): void {
  const built = new Set(platforms.map(formatPlatform));
  for (const { platform, scope } of annotations) {
    if (platform !== undefined && !built.has(platform)) {
      throw new WharfError('invalid-argument', `invalid annotation: no platform ${platform} found in source`);
    }
    if (!isIndex && scope.startsWith('index')) {
      throw new WharfError('invalid-argument', 'index annotations not supported for single platform export');
    }
  }
}
