import type { Dict, DriverData, List, OCIDescriptor, OCIPlatform, StringSet } from './common.ts';
import type { ContainerConfig, HealthConfig } from './container-config.ts';

/** `Config` of `GET /images/{name}/json`. */
export interface ImageConfig {
  readonly User?: string | undefined;
  readonly ExposedPorts?: StringSet | undefined;
  readonly Env?: List<string> | undefined;
  readonly Cmd?: List<string> | undefined;
  readonly Healthcheck?: HealthConfig | null | undefined;
  readonly ArgsEscaped?: boolean | undefined;
  readonly Volumes?: StringSet | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Entrypoint?: List<string> | undefined;
  readonly OnBuild?: List<string> | undefined;
  readonly Labels?: Dict<string> | undefined;
  readonly StopSignal?: string | undefined;
  readonly Shell?: List<string> | undefined;
}

export interface Identity {
  readonly Signature?: List<unknown> | undefined;
  readonly Pull?: List<{ readonly Repository?: string | undefined }> | undefined;
  readonly Build?: List<{ readonly Ref?: string | undefined; readonly CreatedAt?: string | undefined }> | undefined;
}

export interface ImageInspect {
  readonly Id: string;
  /** Since 1.48. */
  readonly Descriptor?: OCIDescriptor | null | undefined;
  /** Since 1.48, when asked for. */
  readonly Manifests?: List<ImageManifestSummary> | undefined;
  /** Since 1.53. */
  readonly Identity?: Identity | null | undefined;
  readonly RepoTags: List<string>;
  readonly RepoDigests: List<string>;
  /** Below 1.45 or so, `''` with the containerd image store. */
  readonly Parent?: string | undefined;
  readonly Comment?: string | undefined;
  readonly Created?: string | null | undefined;
  /** Below 1.45. */
  readonly Container?: string | undefined;
  readonly ContainerConfig?: ContainerConfig | null | undefined;
  readonly DockerVersion?: string | undefined;
  readonly Author?: string | undefined;
  readonly Config?: ImageConfig | null | undefined;
  readonly Architecture: string;
  readonly Variant?: string | undefined;
  readonly Os: string;
  readonly OsVersion?: string | undefined;
  readonly Size: number;
  /** Below 1.44. */
  readonly VirtualSize?: number | undefined;
  readonly GraphDriver?: DriverData | null | undefined;
  readonly RootFS: { readonly Type: string; readonly Layers?: List<string> | undefined };
  readonly Metadata: { readonly LastTagTime?: string | undefined };
}

export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: List<string>;
  readonly RepoDigests: List<string>;
  readonly Created: number;
  readonly Size: number;
  /** -1 when not computed. */
  readonly SharedSize: number;
  /** Below 1.44. */
  readonly VirtualSize?: number | undefined;
  readonly Labels: Dict<string>;
  /** -1 when not computed. */
  readonly Containers: number;
  readonly Manifests?: List<ImageManifestSummary> | undefined;
  readonly Descriptor?: OCIDescriptor | null | undefined;
}

export interface ImageManifestSummary {
  readonly ID: string;
  readonly Descriptor: OCIDescriptor;
  readonly Available: boolean;
  readonly Size: { readonly Total: number; readonly Content: number };
  readonly Kind: 'image' | 'attestation' | 'unknown';
  readonly ImageData?:
    | {
        readonly Platform: OCIPlatform;
        readonly Identity?: Identity | null | undefined;
        readonly Containers: readonly string[];
        readonly Size: { readonly Unpacked: number };
      }
    | null
    | undefined;
  readonly AttestationData?: { readonly For: string } | null | undefined;
}

export interface ImageHistoryResponseItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: List<string>;
  readonly Size: number;
  readonly Comment: string;
}

export interface ImageDeleteResponseItem {
  readonly Untagged?: string | undefined;
  readonly Deleted?: string | undefined;
}

export interface ImagePruneResponse {
  readonly ImagesDeleted: List<ImageDeleteResponseItem>;
  readonly SpaceReclaimed: number;
}

export interface ImageSearchResult {
  readonly description: string;
  readonly is_official: boolean;
  readonly is_automated: boolean;
  readonly name: string;
  readonly star_count: number;
}

export interface DistributionInspect {
  readonly Descriptor: OCIDescriptor;
  readonly Platforms: List<OCIPlatform>;
}

export interface AttestationStatement {
  readonly Descriptor: OCIDescriptor;
  readonly PredicateType: string;
  readonly Statement?: unknown;
}

/** `X-Registry-Auth` (base64url JSON) and the body of `POST /auth`. */
export interface AuthConfig {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Base64 of `user:password`, as in the client's config file. */
  readonly auth?: string | undefined;
  readonly serveraddress?: string | undefined;
  readonly identitytoken?: string | undefined;
  readonly registrytoken?: string | undefined;
}

export interface AuthResponse {
  readonly Status: string;
  readonly IdentityToken?: string | undefined;
}

export interface BuildCache {
  readonly ID: string;
  /** Below 1.42. */
  readonly Parent?: string | undefined;
  readonly Parents?: List<string> | undefined;
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt: string | null;
  readonly UsageCount: number;
}
