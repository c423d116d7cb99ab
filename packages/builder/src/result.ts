import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Descriptor, ImageConfig, Platform } from '@wharf/oci/spec/image';
import type { BuildImages, ImageLease } from './interfaces.ts';
import type { BuildPlan } from './plan/plan.ts';
import type { Tree } from './solver/tree.ts';

/** What a build came to for one platform. */
export interface PlatformResult {
  readonly platform: Platform;
  readonly plan: BuildPlan;
  readonly tree: Tree;
  /** As the steps left it, with the times they ran at. */
  readonly config: ImageConfig;
  /** Statements about it, for exporters that can carry them. */
  readonly attestations: readonly Attestation[];
}

/** What a build came to, for all the platforms it was asked for, in the order they were asked for. */
export interface BuildResult {
  readonly platforms: readonly PlatformResult[];
  /** Its image is an index and its directories are one per platform, even with one platform only. */
  readonly isMultiPlatform: boolean;
  /** SOURCE_DATE_EPOCH: no time of the result is to be later; seconds since 1970. */
  readonly sourceDateEpoch: number | undefined;
}

/** A statement about a result (in-toto attestation framework, "Predicate"). */
export interface Attestation {
  readonly predicateType: string;
  readonly predicate: object;
  /** Whom it is about, where that is not the image itself. */
  readonly subjectName?: string;
  /** The file that exporters of directories write it to; those leave it out when absent. */
  readonly fileName?: string;
}

/** Makes the statements about one platform's result. */
export type Attest = (
  result: Omit<PlatformResult, 'attestations'>,
  tools: { readonly snapshots: Snapshotter; readonly signal: AbortSignal },
) => Promise<readonly Attestation[]>;

/**
 * What a cache of its own steps an image carries (BuildKit, "inline cache"): the value of its configuration's
 * `moby.buildkit.cache.v0`. `layers` are the image's as it is exported.
 */
export type InlineCache = (result: PlatformResult, layers: readonly Descriptor[]) => Promise<unknown>;

/** Shows a client what an exporter is at: a title, and pieces of the work within. */
export type ExportStep = <T>(
  title: string,
  work: (part: <U>(name: string, work: () => Promise<U>) => Promise<U>) => Promise<T>,
) => Promise<T>;

/** What exporters work with; for the time of the export only. */
export interface ExportTools {
  readonly snapshots: Snapshotter;
  readonly images: BuildImages;
  /** Keeps what an exporter stores from being collected. */
  readonly lease: ImageLease;
  /** A directory of this build's own. */
  readonly scratch: string;
  readonly inlineCache: InlineCache | undefined;
  readonly step: ExportStep;
  readonly signal: AbortSignal;
}

/** Makes something of a result: an image, an archive, files at the client. Returns what the client is told of it (`containerimage.digest`). */
export type Exporter = (result: BuildResult, tools: ExportTools) => Promise<Readonly<Record<string, string>>>;
