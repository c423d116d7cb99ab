import { WharfError } from '@wharf/kit';
import { flag } from '../export/attributes.ts';
import type { CacheForm } from './export-cache.ts';

/** A cache to read, as a client names it. */
export type CacheImport =
  | { readonly kind: 'registry'; readonly reference: string; readonly insecure: boolean }
  | { readonly kind: 'local'; readonly directory: string; readonly digest: string };

/** Where a cache is to be written. */
export type CacheExport =
  | { readonly kind: 'inline' }
  | ({ readonly kind: 'registry'; readonly reference: string; readonly insecure: boolean } & Written)
  | ({ readonly kind: 'local'; readonly directory: string } & Written);

interface Written {
  readonly form: CacheForm;
  /** The build goes on when it cannot be written. */
  readonly ignoreError: boolean;
}

interface Entry {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

/** Reads an entry of `--cache-from`. Throws `invalid-argument` for kinds that are not known. */
export function cacheImport({ Type, Attrs }: Entry): CacheImport {
  if (Type === 'registry') {
    return {
      kind: 'registry',
      reference: needed(Attrs, 'ref', Type),
      insecure: flag(Attrs, 'registry.insecure', false),
    };
  }
  if (Type === 'local') {
    return { kind: 'local', directory: needed(Attrs, 'src', Type), digest: needed(Attrs, 'digest', Type) };
  }
  throw new WharfError('invalid-argument', `unknown cache importer: ${Type}`);
}

/** Reads an entry of `--cache-to`. Throws `invalid-argument` for kinds that are not known. */
export function cacheExport({ Type, Attrs }: Entry): CacheExport {
  if (Type === 'inline') return { kind: 'inline' };
  if (Type !== 'registry' && Type !== 'local') {
    throw new WharfError('invalid-argument', `unknown cache exporter: "${Type}"`, {
      hint: 'Use inline, registry or local',
    });
  }
  const written = { form: cacheForm(Attrs), ignoreError: flag(Attrs, 'ignore-error', false) };
  if (Type === 'local') return { kind: 'local', directory: needed(Attrs, 'dest', Type), ...written };
  const insecure = flag(Attrs, 'registry.insecure', false);
  return { kind: 'registry', reference: needed(Attrs, 'ref', Type), insecure, ...written };
}

function cacheForm(attributes: Entry['Attrs']): CacheForm {
  const { mode = 'min', compression = 'gzip' } = attributes;
  if (mode !== 'min' && mode !== 'max') throw new WharfError('invalid-argument', `invalid cache mode: ${mode}`);
  const oci = flag(attributes, 'oci-mediatypes', true);
  const imageManifest = flag(attributes, 'image-manifest', oci);
  if (imageManifest && !oci) {
    throw new WharfError('invalid-argument', 'cannot export an image manifest without OCI media types');
  }
  return {
    ...{ mode, oci, imageManifest, force: flag(attributes, 'force-compression', false) },
    layers: { compression: compressionOf(compression), level: levelOf(attributes['compression-level']) },
  };
}

function compressionOf(name: string): CacheForm['layers']['compression'] {
  if (name === 'gzip' || name === 'zstd') return name;
  if (name === 'uncompressed') return 'none';
  throw new WharfError('invalid-argument', `unsupported layer compression type ${name}`);
}

function levelOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new WharfError('invalid-argument', `non-integer value ${text} specified for compression-level`);
}

function needed(attributes: Entry['Attrs'], name: string, type: string): string {
  const value = attributes[name] ?? '';
  if (value === '') throw new WharfError('invalid-argument', `${type} cache requires ${name}`);
  return value;
}
