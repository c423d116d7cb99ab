/**
 * Texts that Docker clients, and scripts around them, match on: dockerd's own words, kept exactly.
 * Every room adds its texts here; a text without a matching client belongs beside the code that throws it.
 */

export const PAGE_NOT_FOUND = 'page not found';

// Containers.

export const noSuchContainer = (name: string): string => `No such container: ${name}`;

export const noSuchExec = (id: string): string => `No such exec instance: ${id}`;

export const containerNotRunning = (id: string): string => `container ${id} is not running`;

export const containerPaused = (id: string): string => `Container ${id} is paused, unpause the container before exec`;

export const containerNameInUse = (name: string, id: string): string =>
  `Conflict. The container name "${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`;

/** Names are matched against this before anything else; the sentence is `invalidContainerName`. */
export const CONTAINER_NAME_PATTERN = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export const invalidContainerName = (name: string): string =>
  `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;

export const ambiguousId = (prefix: string): string => `multiple IDs found with provided prefix: ${prefix}`;

export const NO_COMMAND = 'no command specified';

export const NO_STREAM_CHOSEN = 'Bad parameters: you must choose at least one stream';

// Images.

export const noSuchImage = (reference: string): string => `No such image: ${reference}`;

export const INVALID_REFERENCE_FORMAT = 'invalid reference format';

/** `platform` is `os/architecture[/variant]`, absent when any platform would have done. */
export const imagePlatformMissing = (reference: string, platform: string | undefined): string =>
  `image with reference ${reference} was found but does not provide ${platform === undefined ? 'any platform' : `the specified platform (${platform})`}`;

export const imageReferenceInUse = (reference: string, containerId: string, imageId: string): string =>
  `conflict: unable to remove repository reference "${reference}" (must force) - container ${containerId} is using its referenced image ${imageId}`;

export const imageInUse = (imageId: string, containerId: string, running: boolean): string =>
  `conflict: unable to delete ${imageId} (${running ? 'cannot be forced' : 'must be forced'}) - image is being used by ${running ? 'running' : 'stopped'} container ${containerId}`;

export const imageInManyRepositories = (imageId: string): string =>
  `conflict: unable to delete ${imageId} (must be forced) - image is referenced in multiple repositories`;

// Networks and volumes.

export const networkNotFound = (name: string): string => `network ${name} not found`;

export const noSuchVolume = (name: string): string => `get ${name}: no such volume`;

export const volumeInUse = (name: string, holders: readonly string[]): string =>
  `remove ${name}: volume is in use - [${holders.join(', ')}]`;

export const volumeNameInvalid = (name: string): string =>
  `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;

export const volumeNameTooShort = (name: string): string =>
  `create ${name}: volume name is too short, names should be at least two alphanumeric characters`;

export const volumeNameTaken = (name: string, driver: string): string =>
  `create ${name}: driver '${driver}' already has volume '${name}': volume name must be unique`;

export const volumePluginNotFound = (name: string, driver: string): string =>
  `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`;

export const invalidVolumeSpec = (spec: string): string => `invalid volume specification: '${spec}'`;

export const invalidMountConfig = (type: string, why: string): string =>
  `invalid mount config for type "${type}": ${why}`;

export const invalidMountMode = (mode: string): string => `invalid mode: ${mode}`;

export const mountPathNotAbsolute = (path: string): string =>
  `invalid mount path: '${path}' mount path must be absolute`;

export const MOUNT_TARGET_IS_ROOT = "invalid specification: destination can't be '/'";

export const bindSourceMissing = (path: string): string => `bind source path does not exist: ${path}`;

export const duplicateMountPoint = (path: string): string => `Duplicate mount point: ${path}`;

export const pruneRunning = 'a prune operation is already running';

export const portAllocated = (address: string): string => `Bind for ${address} failed: port is already allocated`;

// Filters.

export const invalidFilter = (name: string): string => `invalid filter '${name}'`;

export const invalidFilterValue = (name: string, values: readonly string[]): string =>
  `invalid filter '${name}=[${values.join(' ')}]'`;
