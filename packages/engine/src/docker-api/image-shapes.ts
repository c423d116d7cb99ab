import { ZERO_TIME } from '@wharf/kit';
import type { ImageInspect, ImageSummary, OCIDescriptor } from '@wharf/wire/docker/types';
import type { ApiRequest } from '@wharf/wire/http/route';

/** Fields that image configs showed below 1.52, set or not. */
const LEGACY_CONFIG = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};

/** And those of containers that they showed below 1.50. */
const OLDER_CONFIG = {
  ...LEGACY_CONFIG,
  AttachStderr: false,
  AttachStdin: false,
  AttachStdout: false,
  Domainname: '',
  Hostname: '',
  Image: '',
  OpenStdin: false,
  StdinOnce: false,
  Tty: false,
};

/** An image's inspection as the request's API version shows it. */
export function shapeInspect(image: ImageInspect, request: ApiRequest): object {
  const { Parent, Comment, DockerVersion, Author, GraphDriver, Descriptor, Config, Created, ...common } = image;
  const old = !request.atLeast(52);
  const shownConfig = old ? { ...(request.atLeast(50) ? LEGACY_CONFIG : OLDER_CONFIG), ...Config } : Config;
  return {
    ...common,
    ...(old || Parent ? { Parent } : {}),
    ...(old || Comment ? { Comment } : {}),
    ...(old || DockerVersion ? { DockerVersion } : {}),
    ...(old || Author ? { Author } : {}),
    ...(old ? { GraphDriver } : {}),
    ...(request.atLeast(48)
      ? { Descriptor: request.query.get('platform') ? Descriptor : withoutPlatform(Descriptor) }
      : {}),
    ...(Created ? { Created } : request.atLeast(44) ? {} : { Created: ZERO_TIME }),
    ...(request.atLeast(44) ? {} : { VirtualSize: image.Size }),
    // Compose 1 reads the volumes of an image there.
    ...(request.atLeast(45) ? {} : { Container: '', ContainerConfig: shownConfig }),
    Config: shownConfig,
  };
}

/** An image's own descriptor says where its index or manifest is; for which platform is said inside, or by who asked for one. */
function withoutPlatform(descriptor: OCIDescriptor | null | undefined): OCIDescriptor | undefined {
  if (!descriptor) return undefined;
  const { platform: _, ...rest } = descriptor;
  return rest;
}

/** A row of the image list as the request's API version shows it. */
export function shapeSummary(image: ImageSummary, request: ApiRequest): object {
  const { Descriptor, RepoTags, RepoDigests, ...common } = image;
  const nameless = (RepoTags ?? []).length === 0 && (RepoDigests ?? []).length === 0 && !request.atLeast(43);
  return {
    ...common,
    RepoTags: nameless ? ['<none>:<none>'] : (RepoTags ?? []),
    RepoDigests: nameless ? ['<none>@<none>'] : (RepoDigests ?? []),
    ...(request.atLeast(48) ? { Descriptor: withoutPlatform(Descriptor) } : {}),
    ...(request.atLeast(51) ? {} : { Containers: -1 }),
    ...(request.atLeast(44) ? {} : { VirtualSize: image.Size }),
  };
}
