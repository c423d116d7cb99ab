import type { Digest } from './digest.ts';
import { isDigest } from './digest.ts';
import { WharfError } from './errors.ts';

/**
 * An image name in its normal form: domain and path are always there (`docker.io`, `library/busybox`). Made by
 * `parseReference` only, so a value of this type is well formed.
 */
export interface Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

export const DEFAULT_DOMAIN = 'docker.io';
export const DEFAULT_TAG = 'latest';
const legacyDomain = 'index.docker.io';
const officialPrefix = 'library/';
const longestPath = 255;
/** No valid reference is longer than this: path 255, tag 128, digest 135, domain 255 and separators. */
const longestReference = 1024;

// The grammar of distribution/reference, with components written so that no input makes the matcher backtrack.
const domainComponent = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*';
const domainPattern = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathComponent = '[a-z0-9]+(?:(?:__|[._]|-+)[a-z0-9]+)*';
const pathPattern = `${pathComponent}(?:/${pathComponent})*`;
const tagPattern = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digestPattern = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';

const referenceRegExp = new RegExp(
  `^(${domainPattern})/(${pathPattern})(?::(${tagPattern}))?(?:@(${digestPattern}))?$`,
);
const tagRegExp = new RegExp(`^${tagPattern}$`);
const identifierRegExp = /^[a-f0-9]{64}$/;

function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message, { code: 'invalid-reference' });
}

function splitDomain(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  let domain = DEFAULT_DOMAIN;
  let rest = text;
  if (slash >= 0 && (first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first)) {
    domain = first === legacyDomain ? DEFAULT_DOMAIN : first;
    rest = text.slice(slash + 1);
  }
  if (domain === DEFAULT_DOMAIN && !rest.includes('/')) rest = officialPrefix + rest;
  return { domain, rest };
}

function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const algorithm = text.slice(0, text.indexOf(':'));
  const hex = text.slice(algorithm.length + 1);
  const lengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
  const expected = lengths[algorithm];
  if (expected === undefined || algorithm === 'sha384') throw invalid('unsupported digest algorithm');
  if (hex.length !== expected) throw invalid('invalid checksum digest length');
  throw invalid('invalid checksum digest format');
}

/**
 * Parses an image name as a user writes it (`busybox`, `me/app:1`, `localhost:5000/x@sha256:…`) and fills in Docker's
 * defaults for domain and path; the tag stays absent. Throws `invalid-argument` in Docker's words.
 */
export function parseReference(text: string): Reference {
  if (identifierRegExp.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  if (text.length > longestReference) throw invalid('invalid reference format');
  const { domain, rest } = splitDomain(text);
  const colon = rest.indexOf(':');
  const remote = colon < 0 ? rest : rest.slice(0, colon);
  if (remote.toLowerCase() !== remote) {
    throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const match = referenceRegExp.exec(`${domain}/${rest}`);
  if (match === null) throw invalid('invalid reference format');
  const [, parsedDomain = '', path = '', tag, digestText] = match;
  if (path.length > longestPath) {
    throw invalid(`repository name must not be more than ${longestPath} characters`);
  }
  const digest = digestText === undefined ? undefined : checkDigest(digestText);
  return {
    domain: parsedDomain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** As `parseReference`, or `undefined` where it would throw: for callers that then try the text as an id. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof WharfError) return undefined;
    throw error;
  }
}

/** Adds `latest` to a name that has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** Checks a tag alone (`docker tag`'s and commit's `tag` parameter). Throws `invalid-argument`. */
export function parseTag(tag: string): string {
  if (!tagRegExp.test(tag)) throw invalid('invalid tag format');
  return tag;
}

/** The same name with this tag. Throws `invalid-argument` (`invalid tag format`). */
export function withTag(reference: Reference, tag: string): Reference {
  return { ...reference, tag: parseTag(tag) };
}

/** The same name with this digest. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return { ...reference, digest };
}

/** Domain and path alone. */
export function trimReference(reference: Reference): Reference {
  return { domain: reference.domain, path: reference.path };
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return tag + digest;
}

/** The full repository name: `docker.io/library/busybox`. */
export function canonicalName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The repository name as Docker shows it: `busybox`, `me/app`, `localhost:5000/x`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return canonicalName(reference);
  const { path } = reference;
  if (path.startsWith(officialPrefix) && !path.slice(officialPrefix.length).includes('/'))
    return path.slice(officialPrefix.length);
  return path;
}

/** The whole reference in its unambiguous form: `docker.io/library/busybox:latest@sha256:…`. */
export function formatCanonical(reference: Reference): string {
  return canonicalName(reference) + suffix(reference);
}

/** The whole reference as Docker shows it: `busybox:latest`. */
export function formatFamiliar(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}
