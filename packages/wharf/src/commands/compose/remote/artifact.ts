import { COMPOSE_VERSION } from '@wharf/compose/convert/labels';

/** Media types of applications in registries, docker compose's. */
export const PROJECT_TYPE = 'application/vnd.docker.compose.project';
export const FILE_TYPE = 'application/vnd.docker.compose.file+yaml';
export const ENV_FILE_TYPE = 'application/vnd.docker.compose.envfile';
/** Of the configuration, where the manifest cannot say its own type (OCI 1.0). */
export const OLD_CONFIG_TYPE = 'application/vnd.docker.compose.config.empty.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
/** The descriptor of `{}` (OCI image specification, "Guidance for an Empty Descriptor"). */
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const EMPTY = Buffer.from('{}');

export const FILE_NOTE = 'com.docker.compose.file';
export const ENV_FILE_NOTE = 'com.docker.compose.envfile';
/** Of a file that others extend, and that is none of the application's own. */
export const EXTENDS_NOTE = 'com.docker.compose.extends';
const VERSION_NOTE = 'com.docker.compose.version';

export interface ArtifactDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: string;
}

/** A file of the artifact, with its bytes. */
export interface ArtifactLayer {
  readonly descriptor: ArtifactDescriptor;
  readonly bytes: Buffer;
}

export interface ArtifactManifest {
  readonly artifactType?: string;
  readonly config?: ArtifactDescriptor;
  readonly layers?: readonly ArtifactDescriptor[];
}

/** A compose file as a layer. */
export function fileLayer(name: string, bytes: Buffer): ArtifactLayer {
  const annotations = { [FILE_NOTE]: name, [VERSION_NOTE]: COMPOSE_VERSION };
  return { bytes, descriptor: { ...descriptorOf(FILE_TYPE, bytes), annotations, data: bytes.toString('base64') } };
}

/** The manifest with what it refers to: OCI 1.1 says what it is by its type, 1.0 by that of its configuration. */
export function manifestOf(
  layers: readonly ArtifactLayer[],
  given: { readonly version: '1.0' | '1.1'; readonly now: Date },
): { readonly config: ArtifactLayer; readonly bytes: Buffer; readonly digest: string } {
  const isNew = given.version === '1.1';
  const config = { bytes: EMPTY, descriptor: descriptorOf(isNew ? EMPTY_TYPE : OLD_CONFIG_TYPE, EMPTY) };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(isNew ? { artifactType: PROJECT_TYPE } : {}),
    config: { ...config.descriptor, data: EMPTY.toString('base64') },
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: { 'org.opencontainers.image.created': given.now.toISOString().replace(/\.\d+Z$/, 'Z') },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { config, bytes, digest: digestOf(bytes) };
}

/** Whether the manifest is an application's. */
export function isApplication({ artifactType = '', config }: ArtifactManifest): boolean {
  return artifactType === PROJECT_TYPE || (artifactType === '' && config?.mediaType === OLD_CONFIG_TYPE);
}

function descriptorOf(mediaType: string, bytes: Buffer): ArtifactDescriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

export function digestOf(bytes: Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
