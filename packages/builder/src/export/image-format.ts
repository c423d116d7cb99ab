import { WharfError } from '@wharf/kit';
import type { LayerForm } from '../interfaces.ts';
import { type Annotation, annotationOf } from './annotations.ts';
import { type Attributes, epochOf, flag } from './attributes.ts';

/** How an image is to be written down; what all exporters of images share. */
export interface ImageFormat {
  readonly names: readonly string[];
  /** OCI's media types, or Docker's. */
  readonly isOci: boolean;
  /** Attestations as OCI artifacts with a subject, instead of as images. */
  readonly artifacts: boolean;
  readonly compression: LayerForm['compression'] | undefined;
  readonly level: number | undefined;
  /** Layers that are there in another compression are compressed anew. */
  readonly force: boolean;
  readonly annotations: readonly Annotation[];
  /** Over the build's own SOURCE_DATE_EPOCH; seconds since 1970. */
  readonly sourceDateEpoch: number | undefined;
  /** Times of files in the build's layers are no later than SOURCE_DATE_EPOCH either. */
  readonly rewriteTimestamp: boolean;
  /** Statements that go nowhere but into an image are put into it. */
  readonly inlineAttestations: boolean;
}

const COMPRESSIONS: Readonly<Record<string, LayerForm['compression']>> = {
  ...{ uncompressed: 'none', gzip: 'gzip', zstd: 'zstd' },
};
const HIGHEST = { none: 0, gzip: 9, zstd: 22 } as const;

/** Reads an exporter's attributes (BuildKit, "Image output"). Throws `invalid-argument` for what contradicts itself. */
export function imageFormat(
  attributes: Attributes,
  usual: { readonly inlineAttestations: boolean; readonly compression?: LayerForm['compression'] },
): ImageFormat {
  const isOci = flag(attributes, 'oci-mediatypes', true);
  const { compression, level } = compressionOf(attributes);
  const force = flag(attributes, 'force-compression', false);
  const artifacts = flag(attributes, 'oci-artifact', false);
  const annotations = Object.entries(attributes).flatMap(([key, value]) => annotationOf(key, value) ?? []);
  if (!isOci) refuseWithoutOci({ compression, artifacts, annotations });
  return {
    names: (attributes['name'] ?? '').split(',').filter((name) => name !== ''),
    ...{ isOci, artifacts, level, annotations },
    // To force what is not named is to force the usual one.
    compression: compression ?? usual.compression ?? (force ? 'gzip' : undefined),
    force,
    sourceDateEpoch: epochOf(attributes['source-date-epoch']),
    rewriteTimestamp: flag(attributes, 'rewrite-timestamp', false),
    inlineAttestations: flag(attributes, 'attestation-inline', usual.inlineAttestations),
  };
}

function refuseWithoutOci({
  compression,
  artifacts,
  annotations,
}: Pick<ImageFormat, 'compression' | 'artifacts' | 'annotations'>): void {
  const conflict = compression === 'zstd' ? 'compression=zstd' : artifacts ? 'oci-artifact=true' : undefined;
  if (conflict !== undefined) {
    throw new WharfError('invalid-argument', `exporter option "${conflict}" conflicts with "oci-mediatypes=false"`);
  }
  if (annotations.some(({ scope }) => scope !== 'manifest')) {
    throw new WharfError('invalid-argument', 'cannot export annotations with "oci-mediatypes=false"');
  }
}

function compressionOf(attributes: Attributes): Pick<ImageFormat, 'compression' | 'level'> {
  const name = attributes['compression'] || undefined;
  const compression = name === undefined ? undefined : COMPRESSIONS[name];
  if (name === 'estargz') {
    throw new WharfError(
      'not-implemented',
      'Cannot compress layers as "estargz": use "gzip", "zstd" or "uncompressed"',
    );
  }
  if (name !== undefined && compression === undefined) {
    throw new WharfError('invalid-argument', `unsupported layer compression type: "${name}"`);
  }
  const text = attributes['compression-level'];
  if (text === undefined) return { compression, level: undefined };
  if (!/^-?\d{1,4}$/.test(text)) {
    throw new WharfError('invalid-argument', `non-integer value ${text} specified for compression-level`);
  }
  // As BuildKit: what is out of the range is the nearest that is in it.
  const highest = HIGHEST[compression ?? 'gzip'];
  const lowest = compression === 'zstd' ? 1 : 0;
  return { compression: compression ?? 'gzip', level: Math.max(lowest, Math.min(highest, Number(text))) };
}
