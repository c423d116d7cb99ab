import { configFields, hostConfigFields, resourceFields, restartPolicy } from './decode-config.ts';
import {
  array,
  bool,
  type Decoder,
  dict,
  int,
  list,
  raw,
  string,
  stringDict,
  strings,
  strSlice,
  struct,
} from './shapes.ts';
import type {
  AuthConfig,
  CheckpointCreateRequest,
  ContainerConfig,
  ContainerCreateRequest,
  ContainerUpdateRequest,
  EndpointIPAMConfig,
  EndpointSettings,
  ExecCreateRequest,
  ExecStartRequest,
  HostConfig,
  IPAM,
  IPAMConfig,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkingConfig,
  VolumeCreateRequest,
} from './types.ts';

/** A create request in its three parts. */
export interface DecodedContainerCreate {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig | undefined;
}

const endpoint = struct<EndpointSettings>('EndpointSettings', {
  IPAMConfig: struct<EndpointIPAMConfig>('EndpointIPAMConfig', {
    IPv4Address: string,
    IPv6Address: string,
    LinkLocalIPs: strings,
  }),
  Links: strings,
  Aliases: strings,
  DriverOpts: stringDict,
  GwPriority: int,
  NetworkID: string,
  EndpointID: string,
  Gateway: string,
  IPAddress: string,
  IPPrefixLen: int,
  IPv6Gateway: string,
  GlobalIPv6Address: string,
  GlobalIPv6PrefixLen: int,
  MacAddress: string,
  DNSNames: strings,
});

const containerConfig = struct<ContainerConfig>('Config', configFields);
const hostConfig = struct<HostConfig>('HostConfig', hostConfigFields);

const containerCreate = struct<ContainerCreateRequest>('CreateRequest', {
  ...configFields,
  HostConfig: hostConfig,
  NetworkingConfig: struct<NetworkingConfig>('NetworkingConfig', {
    EndpointsConfig: dict({ item: endpoint, goType: 'map[string]*network.EndpointSettings', zero: {} }),
  }),
});

const containerUpdate = struct<ContainerUpdateRequest>('UpdateConfig', {
  ...resourceFields,
  RestartPolicy: restartPolicy,
  PortBindings: hostConfigFields.PortBindings,
  PortsFrom: string,
  Labels: stringDict,
});

const execCreate = struct<ExecCreateRequest>('ExecCreateRequest', {
  User: string,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: array(2),
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  DetachKeys: string,
  Env: strings,
  WorkingDir: string,
  Cmd: strSlice,
});

const execStart = struct<ExecStartRequest>('ExecStartRequest', { Detach: bool, Tty: bool, ConsoleSize: array(2) });

const ipam = struct<IPAM>('IPAM', {
  Driver: string,
  Options: stringDict,
  Config: list(
    struct<IPAMConfig>('IPAMConfig', {
      Subnet: string,
      IPRange: string,
      Gateway: string,
      AuxiliaryAddresses: stringDict,
    }),
    '[]network.IPAMConfig',
    {},
  ),
});

const networkCreate = struct<NetworkCreateRequest>('CreateRequest', {
  Name: string,
  CheckDuplicate: bool,
  Driver: string,
  Scope: string,
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: struct<{ readonly Network: string }>('ConfigReference', { Network: string }),
  IPAM: ipam,
  EnableIPv4: bool,
  EnableIPv6: bool,
  Options: stringDict,
  Labels: stringDict,
});

const networkConnect = struct<NetworkConnectRequest>('ConnectRequest', {
  Container: string,
  EndpointConfig: endpoint,
});

const networkDisconnect = struct<NetworkDisconnectRequest>('DisconnectRequest', { Container: string, Force: bool });

const volumeCreate = struct<VolumeCreateRequest>('CreateRequest', {
  Name: string,
  Driver: string,
  DriverOpts: stringDict,
  Labels: stringDict,
  ClusterVolumeSpec: raw,
});

const authConfig = struct<AuthConfig>('AuthConfig', {
  username: string,
  password: string,
  auth: string,
  serveraddress: string,
  identitytoken: string,
  registrytoken: string,
});

const checkpointCreate = struct<CheckpointCreateRequest>('CreateRequest', {
  CheckpointID: string,
  CheckpointDir: string,
  Exit: bool,
});

/** An absent or `null` document is Go's zero value. */
function orEmpty<T extends object>(decoder: Decoder<T>, value: unknown): T {
  return decoder(value, '') ?? ({} as T);
}

// Each of the functions below takes a parsed body (`ApiRequest.json()`) and throws `invalid-argument` in Go's words when
// a field has the wrong type.

export function decodeContainerCreate(value: unknown): DecodedContainerCreate {
  const { HostConfig, NetworkingConfig, ...config } = orEmpty(containerCreate, value);
  return { config, hostConfig: HostConfig ?? {}, networkingConfig: NetworkingConfig ?? undefined };
}

/** The portable half alone: the body of `POST /commit`. */
export function decodeContainerConfig(value: unknown): ContainerConfig {
  return orEmpty(containerConfig, value);
}

export function decodeHostConfig(value: unknown): HostConfig {
  return orEmpty(hostConfig, value);
}

export function decodeContainerUpdate(value: unknown): ContainerUpdateRequest {
  return orEmpty(containerUpdate, value);
}

export function decodeExecCreate(value: unknown): ExecCreateRequest {
  return orEmpty(execCreate, value);
}

export function decodeExecStart(value: unknown): ExecStartRequest {
  return orEmpty(execStart, value);
}

export function decodeNetworkCreate(value: unknown): NetworkCreateRequest {
  return orEmpty(networkCreate, value);
}

export function decodeNetworkConnect(value: unknown): NetworkConnectRequest {
  return orEmpty(networkConnect, value);
}

export function decodeNetworkDisconnect(value: unknown): NetworkDisconnectRequest {
  return orEmpty(networkDisconnect, value);
}

export function decodeVolumeCreate(value: unknown): VolumeCreateRequest {
  return orEmpty(volumeCreate, value);
}

export function decodeAuthConfig(value: unknown): AuthConfig {
  return orEmpty(authConfig, value);
}

export function decodeCheckpointCreate(value: unknown): CheckpointCreateRequest {
  return orEmpty(checkpointCreate, value);
}
