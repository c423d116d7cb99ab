/**
 * Texts that Docker clients, and scripts around them, match on: dockerd's own words, kept exactly.
 * Every room adds its texts here; a text without a matching client belongs beside the code that throws it.
 */

export const PAGE_NOT_FOUND = 'page not found';

// Containers.

export const noSuchContainer = (name: string): string => `No such container: ${name}`;

export const noSuchExec = (id: string): string => `No such exec instance: ${id}`;

export const containerNotRunning = (id: string): string => `container ${id} is not running`;

export const containerRestarting = (id: string): string =>
  `Container ${id} is restarting, wait until the container is running`;

export const containerPaused = (id: string): string => `Container ${id} is paused, unpause the container before exec`;

export const containerNameInUse = (name: string, id: string): string =>
  `Conflict. The container name "${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`;

/** Names are matched against this before anything else; the sentence is `invalidContainerName`. */
export const CONTAINER_NAME_PATTERN = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export const invalidContainerName = (name: string): string =>
  `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;

export const ambiguousId = (prefix: string): string => `multiple IDs found with provided prefix: ${prefix}`;

export const EMPTY_CONFIG = 'config cannot be empty in order to create a container';

export const NO_COMMAND = 'no command specified';

export const NO_STREAM_CHOSEN = 'Bad parameters: you must choose at least one stream';

export const LOG_READING_NOT_SUPPORTED = 'configured logging driver does not support reading';

export const LOGS_OF_DEAD_CONTAINER = 'can not get logs from container which is dead or marked for removal';

export const attachToPaused = (name: string): string =>
  `container ${name} is paused, unpause the container before attach`;

export const attachToRestarting = (name: string): string =>
  `container ${name} is restarting, wait until the container is running`;

// Images.

export const noSuchImage = (reference: string): string => `No such image: ${reference}`;

export const INVALID_REFERENCE_FORMAT = 'invalid reference format';

/** `platform` is `os/architecture[/variant]`, absent when any platform would have done. */
export const imagePlatformMissing = (reference: string, platform: string | undefined): string =>
  `image with reference ${reference} was found but does not provide ${platform === undefined ? 'any platform' : `the specified platform (${platform})`}`;

export const pullAccessDenied = (name: string): string =>
  `pull access denied for ${name}, repository does not exist or may require 'docker login'`;

export const imageReferenceInUse = (reference: string, containerId: string, imageId: string): string =>
  `conflict: unable to delete ${reference} (must be forced) - container ${containerId} is using its referenced image ${imageId}`;

export const imageInUse = (imageId: string, containerId: string, running: boolean): string =>
  `conflict: unable to delete ${imageId} (${running ? 'cannot be forced' : 'must be forced'}) - image is being used by ${running ? 'running' : 'stopped'} container ${containerId}`;

export const imageInManyRepositories = (imageId: string): string =>
  `conflict: unable to delete ${imageId} (must be forced) - image is referenced in multiple repositories`;

// Networks and volumes.

export const networkNotFound = (name: string): string => `network ${name} not found`;

export const networkNameInUse = (name: string): string => `network with name ${name} already exists`;

export const networkPredefined = (name: string): string => `operation is not permitted on predefined ${name} network `;

export const networkNotRemovable = (name: string): string => `${name} is a pre-defined network and cannot be removed`;

/** `endpoints` are `name:"web" id:"0123456789ab"`. */
export const networkHasEndpoints = (name: string, endpoints: readonly string[]): string =>
  `error while removing network: network ${name} has active endpoints (${endpoints.join(', ')})`;

export const networkAmbiguous = (name: string, count: number, by: string): string =>
  `${count} matches found based on ${by}: network ${name} is ambiguous`;

export const endpointExists = (container: string, network: string): string =>
  `endpoint with name ${container} already exists in network ${network}`;

export const notConnected = (containerId: string, network: string): string =>
  `container ${containerId} is not connected to network ${network}`;

export const SHARES_NETWORK =
  'container sharing network namespace with another container or host cannot be connected to any other network';

export const HOST_NETWORK_AT_CREATE =
  'cannot connect container to host network - container must be created in host network mode';

export const PRIVATE_NETWORK =
  'container cannot be connected to multiple networks with one of the networks in private (none) mode';

export const STATIC_ADDRESS_USER_NETWORK = 'user-specified IP address is supported on user-defined networks only';

export const ALIASES_USER_NETWORK = 'network-scoped aliases are only supported for user-defined networks';

export const cannotFindLinked = (name: string): string =>
  `could not get container for ${name}: ${noSuchContainer(name)}`;

export const HOST_NETWORK_LINKS =
  "conflicting options: host type networking can't be used with links. This would result in undefined behavior";

export const linkNotRunning = (child: string, link: string): string =>
  `Cannot link to a non running container: /${child} AS ${link}`;

export const linkNotOnBridge = (child: string): string =>
  `Cannot link to /${child}, as it does not belong to the default network`;

export const DEFAULT_LINK_NAME = 'Conflict, cannot remove the default link name of the container';

export const endpointNotFound = (name: string): string => `endpoint ${name} not found`;

export const networkGone = (name: string): string => `failed to set up container networking: ${networkNotFound(name)}`;

export const TEMPLATE_IS_LOCAL =
  'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.';

export const TEMPLATE_OF_TEMPLATE = 'a configuration network cannot depend on another configuration network';

export const TEMPLATE_AND_OWN =
  'user-specified configurations are not supported if the network depends on a configuration network';

export const TEMPLATE_AND_OPTIONS =
  'network driver options are not supported if the network depends on a configuration network';

export const TEMPLATE_HAS_NO_ENDPOINTS = 'cannot create endpoint on configuration-only network';

export const templateNotFound = (name: string): string => `configuration network "${name}" does not exist`;

export const templateInUse = (name: string): string => `configuration network "${name}" is in use`;

export const invalidNetworkConfig = (network: string, reason: string): string =>
  `invalid config for network ${network}: ${reason}`;

/** `reader` is the function of Go's strconv that would not have it. */
export const badNetworkOption = (option: string, value: string, reader: string): string =>
  `failed to parse ${option} value: ${value} (strconv.${reader}: parsing ${JSON.stringify(value)}: invalid syntax)`;

export const pluginNotFound = (name: string): string => `plugin "${name}" not found`;

export const NO_ADDRESS_FAMILY = 'IPv4 or IPv6 must be enabled';

export const poolOverlaps = 'invalid pool request: Pool overlaps with other one on this address space';

/** Docker's words, and whose the subnet is. */
export const poolOverlapsWith = (subnet: string, holder: string): string =>
  `${poolOverlaps}: ${subnet} overlaps with ${holder}`;

export const ADDRESS_IN_USE = 'Address already in use';

export const addressInUse = (address: string, holder: string): string =>
  `${ADDRESS_IN_USE}: ${address} is that of ${holder}`;

export const NO_MORE_POOLS =
  'all predefined address pools have been fully subnetted: remove networks, or give the daemon more by default-address-pools';

export const badOptionValue = (option: string, value: string, reason: string): string =>
  `failed to parse ${option} value: ${value} (${reason})`;

export const ISOLATED_NOT_INTERNAL = "gateway mode 'isolated' can only be used for an internal network";

export const badEndpointSysctl = (sysctl: string): string =>
  `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`;

export const INGRESS_IS_GLOBAL = 'Ingress network can only be global scope network';

export const MANY_SUBNETS = "bridge driver doesn't support multiple subnets";

export const noSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

export const sameBridgeName = (
  id: string,
  name: string,
  other: { readonly id: string; readonly name: string },
): string =>
  `cannot create network ${id} (${name}): conflicts with network ${other.id} (${other.name}): networks have same bridge name`;

export const portAllocated = (hostIp: string, port: number): string =>
  `Bind for ${hostIp}:${port} failed: port is already allocated`;

export const bindFailed = (hostIp: string, port: number, protocol: string, reason: string): string =>
  `failed to bind host port ${hostIp}:${port}/${protocol}: ${reason}`;

export const ALL_PORTS_ALLOCATED = 'all ports are allocated';

export const publishFailed = (containerName: string, endpointId: string, reason: string): string =>
  `failed to set up container networking: driver failed programming external connectivity on endpoint ${containerName} (${endpointId}): ${reason}`;

export const noSuchVolume = (name: string): string => `get ${name}: no such volume`;

export const volumeInUse = (name: string, holders: readonly string[]): string =>
  `remove ${name}: volume is in use - [${holders.join(', ')}]`;

export const QUOTA_UNSUPPORTED = 'quota size requested but no quota support';

export const volumeNameInvalid = (name: string): string =>
  `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;

export const volumeNameTooShort = (name: string): string =>
  `create ${name}: volume name is too short, names should be at least two alphanumeric characters`;

export const volumeNameTaken = (name: string, driver: string): string =>
  `create ${name}: driver '${driver}' already has volume '${name}': volume name must be unique`;

export const invalidVolumeSpec = (spec: string): string => `invalid volume specification: '${spec}'`;

export const invalidMountConfig = (type: string, why: string): string =>
  `invalid mount config for type "${type}": ${why}`;

export const invalidMountMode = (mode: string): string => `invalid mode: ${mode}`;

export const mountPathNotAbsolute = (path: string): string =>
  `invalid mount path: '${path}' mount path must be absolute`;

export const MOUNT_TARGET_IS_ROOT = "invalid specification: destination can't be '/'";

export const bindSourceMissing = (path: string): string => `bind source path does not exist: ${path}`;

export const SUBPATH_NOT_RELATIVE = 'subpath must be a relative path within the volume';

export const cannotAccessPath = (path: string): string => `cannot access path ${path}: no such file or directory`;

export const subpathEscapes = (base: string, subpath: string): string =>
  `path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`;

export const bindTouchesDaemonRoot = (root: string, source: string, propagation: string): string =>
  `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${root}", bind mount source: "${source}", propagation: "${propagation}"`;

export const duplicateMountPoint = (path: string): string => `Duplicate mount point: ${path}`;

export const pruneRunning = 'a prune operation is already running';

// Filters.

export const invalidFilter = (name: string): string => `invalid filter '${name}'`;

export const invalidFilterValue = (name: string, values: readonly string[]): string =>
  `invalid filter '${name}=[${values.join(' ')}]'`;

// Archives.

export const BAD_PATH = 'bad parameter: path cannot be empty';

export const noSuchFileInContainer = (path: string, name: string): string =>
  `Could not find the file ${path} in container ${name}`;

export const NOT_A_DIRECTORY = 'extraction point is not a directory';

export const VOLUME_READ_ONLY = 'mounted volume is marked read-only';

export const CONTAINER_ROOT_READ_ONLY = 'container rootfs is marked read-only';

export const exportingDead = (id: string): string => `You cannot export container ${id} which is Dead`;

export const exportingRemoved = (id: string): string => `You cannot export container ${id} which is being removed`;
