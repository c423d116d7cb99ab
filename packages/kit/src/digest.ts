import { WharfError } from './errors.ts';
import type { Branded } from './ids.ts';

/** An OCI content digest, `sha256:` or `sha512:` and lower-case hex (OCI image-spec, descriptor.md, "Digests"). */
export type Digest = Branded<'digest'>;
/** The digest of a layer's uncompressed tar (OCI image-spec, config.md, "Layer DiffID"). */
export type DiffId = Branded<'diff-id'>;
/** The digest naming a stack of layers (OCI image-spec, config.md, "Layer ChainID"). */
export type ChainId = Branded<'chain-id'>;

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True for a well-formed sha256 or sha512 digest. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Checks and brands a digest. Throws `invalid-argument`. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new WharfError(
      'invalid-argument',
      `Cannot use digest "${text}": it is not sha256:<64 hex> or sha512:<128 hex>`,
    );
  }
  return text;
}

/** The algorithm and the hex of a digest. */
export function splitDigest(digest: Digest | DiffId | ChainId): { readonly algorithm: string; readonly hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon), hex: digest.slice(colon + 1) };
}
