import { isDigest, parseReference, type Reference, WharfError, withDefaultTag, withDigest, withTag } from '@wharf/kit';
import { normalizePlatform } from '@wharf/oci/spec/platform';
import type { ApiRequest } from '@wharf/wire/http/route';
import { findJsonFault } from '@wharf/wire/json-fault';
import type { ImagePlatform } from '../images/image-service.ts';

/** Reads a platform parameter, a JSON document since 1.48. Throws `invalid-argument` with Docker's texts. */
export function decodePlatform(json: string): ImagePlatform {
  const value = parse(json);
  const text = (key: string) => (typeof value[key] === 'string' ? value[key] : '');
  const [os, architecture, variant] = [text('os'), text('architecture'), text('variant')];
  if (os === '' && architecture === '' && (variant !== '' || text('os.version') !== '')) {
    throw new WharfError('invalid-argument', 'optional platform fields provided, but OS and Architecture are missing');
  }
  if (os === '' || architecture === '')
    throw new WharfError('invalid-argument', 'both OS and Architecture must be provided');
  return normalizePlatform({ os, architecture, ...(variant === '' ? {} : { variant }) });
}

function parse(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const fault = findJsonFault(json);
    throw new WharfError(
      'invalid-argument',
      `failed to parse platform: ${fault.kind === 'syntax' ? fault.message : json}`,
      { cause },
    );
  }
  throw new WharfError('invalid-argument', `failed to parse platform: ${json}`);
}

/** The one platform of a request; `undefined` when none is given or the version has no such parameter. */
export function platformOf(request: ApiRequest, since: number): ImagePlatform | undefined {
  const json = request.query.get('platform') ?? '';
  return json === '' || !request.atLeast(since) ? undefined : decodePlatform(json);
}

/** The platforms of load and save: one since 1.48, several since 1.52. */
export function platformsOf(request: ApiRequest): readonly ImagePlatform[] {
  if (!request.atLeast(48)) return [];
  const given = request.query.getAll('platform').filter((json) => json !== '');
  if (given.length > 1 && !request.atLeast(52)) {
    throw new WharfError(
      'invalid-argument',
      'multiple platform parameters are not supported in this API version; use API version 1.52 or later',
    );
  }
  return given.map(decodePlatform);
}

/** A repository and a tag as one reference; `undefined` without a repository. Throws `invalid-argument`. */
export function repoTagReference(repository: string, tag: string): Reference | undefined {
  if (repository === '') return undefined;
  const reference = parseReference(repository);
  if (reference.digest !== undefined) throw new WharfError('invalid-argument', 'cannot import digest reference');
  return tag === '' ? withDefaultTag(reference) : withTag({ domain: reference.domain, path: reference.path }, tag);
}

/** What `POST /images/create` is to pull: the tag may be a digest, and the name may end in a colon (`pull -a`). */
export function pullReference(fromImage: string, tag: string): Reference {
  const reference = parseReference(fromImage.replace(/:$/, ''));
  if (tag === '') return reference;
  if (isDigest(tag)) return withDigest({ domain: reference.domain, path: reference.path }, tag);
  return withTag(reference, tag);
}
