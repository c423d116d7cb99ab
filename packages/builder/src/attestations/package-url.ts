import { familiarName, parseReference, withDefaultTag } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform } from '@wharf/oci/spec/platform';

/** A package by its URL (package-url/purl-spec); qualifiers that are empty are left out. */
export function packageUrl(named: {
  readonly type: string;
  /** With slashes. */
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
}): string {
  const { type, namespace = '', name, version, qualifiers = {} } = named;
  const path = [...namespace.split('/').filter((part) => part !== ''), name].map(percentEncode).join('/');
  const query = Object.entries(qualifiers)
    .filter(([, value]) => value !== '')
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}=${percentEncode(value)}`);
  const tail = query.length === 0 ? '' : `?${query.join('&')}`;
  return `pkg:${type}/${path}${version === '' ? '' : `@${percentEncode(version)}`}${tail}`;
}

/** `pkg:docker/NAME@TAG?platform=…` for an image's name. */
export function imageUrl(name: string, platform: Platform): string {
  const given = parseReference(name);
  const reference = given.digest === undefined ? withDefaultTag(given) : given;
  const parts = familiarName(reference).split('/');
  return packageUrl({
    type: 'docker',
    namespace: parts.slice(0, -1).join('/'),
    name: parts.at(-1) ?? '',
    version: reference.tag ?? '',
    qualifiers: { digest: reference.digest ?? '', platform: formatPlatform(platform) },
  });
}

/** `:` stands for itself, as purl-spec has it. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
