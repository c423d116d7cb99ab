import { formatPlatform } from '@wharf/oci/spec/platform';
import type { BuildResult, PlatformResult } from '../result.ts';
import { type Subject, statementOf } from './attestation-manifest.ts';
import { type Attributes, flag } from './attributes.ts';

/** A file that is not in a result's tree and is exported with it. */
export interface ExtraFile {
  readonly name: string;
  readonly text: string;
}

/** How a result's platforms lie in a directory or an archive. */
export interface FilesLayout {
  /** Each has a directory of its own. */
  readonly isSplit: boolean;
  readonly attestationPrefix: string;
}

/** Reads `platform-split` and `attestation-prefix`. Throws `invalid-argument`. */
export function filesLayout(attributes: Attributes, { isMultiPlatform }: BuildResult): FilesLayout {
  return {
    isSplit: flag(attributes, 'platform-split', isMultiPlatform),
    attestationPrefix: attributes['attestation-prefix'] ?? '',
  };
}

/** The directory of a platform: `linux_arm64`; empty where all lie together. */
export function directoryOf({ platform }: PlatformResult, { isSplit }: FilesLayout): string {
  return isSplit ? formatPlatform(platform).replaceAll('/', '_') : '';
}

/** The statements about a platform's files, as files beside them (BuildKit, attestation-storage.md, "local and tar"). */
export function statementFiles(
  result: PlatformResult,
  subjects: readonly Subject[],
  layout: FilesLayout & { readonly isMultiPlatform: boolean },
): readonly ExtraFile[] {
  return result.attestations.flatMap((attestation) => {
    const { fileName } = attestation;
    if (fileName === undefined) return [];
    const name = layout.isMultiPlatform && !layout.isSplit ? withPlatform(fileName, result) : fileName;
    const text = JSON.stringify(statementOf(attestation, subjects), undefined, 2);
    return [{ name: layout.attestationPrefix + name, text }];
  });
}

/** `sbom.linux_arm64.json` */
function withPlatform(name: string, { platform }: PlatformResult): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
  return `${stem}.${formatPlatform(platform).replaceAll('/', '_')}${extension}`;
}
