/**
 * What the objects of the model consist of, in the order compose prints them: the one table that decoding, JSON, YAML and
 * hashes follow.
 */
export interface Shape {
  readonly fields: readonly Field[];
  /** Whether `x-` keys may stand on it. */
  readonly extensible: boolean;
}

export interface Field {
  readonly key: string;
  readonly kind: Kind;
  /** JSON's name where it is another one. */
  readonly json?: string;
  /** Printed even when it is empty or zero. */
  readonly always?: boolean;
}

/**
 * - `bool`, `int`, `uint`, `duration` are absent when zero; with `?` zero counts as said.
 * - `command`: a list, or a text split into words; JSON prints `null` when it is absent.
 * - `labels`, `mapping`, `options`: mappings to texts; `variables`: values may be null.
 */
export type Kind = ScalarKind | Composite;

export type ScalarKind =
  | 'string'
  | 'bool'
  | 'bool?'
  | 'int'
  | 'int?'
  | 'uint'
  | 'uint?'
  | 'float'
  | 'bytes'
  | 'duration'
  | 'duration?'
  | 'mode'
  | 'count'
  | 'strings'
  | 'texts'
  | 'command'
  | 'test'
  | 'labels'
  | 'mapping'
  | 'variables'
  | 'options'
  | 'text-map'
  | 'multi-options'
  | 'hosts'
  | 'ssh'
  | 'env-files'
  | 'ulimits';

export type Composite =
  /** Absent, or printed even when empty. */
  | { readonly as: 'object'; readonly shape: Shape }
  /** Never absent to Go: JSON prints it even when empty, YAML does not. */
  | { readonly as: 'struct'; readonly shape: Shape }
  | { readonly as: 'list'; readonly shape: Shape }
  /** By name; a value may be null. */
  | { readonly as: 'map'; readonly shape: Shape };

function shape(fields: Readonly<Record<string, Kind | Omit<Field, 'key'>>>, extensible = true): Shape {
  return {
    extensible,
    fields: Object.entries(fields).map(([key, kind]) =>
      typeof kind === 'object' && 'kind' in kind ? { key, ...kind } : { key, kind },
    ),
  };
}

const object = (of: Shape): Composite => ({ as: 'object', shape: of });
const struct = (of: Shape): Composite => ({ as: 'struct', shape: of });
const list = (of: Shape): Composite => ({ as: 'list', shape: of });
const map = (of: Shape): Composite => ({ as: 'map', shape: of });

const fileMount = shape({ source: 'string', target: 'string', uid: 'string', gid: 'string', mode: 'mode' });

const build = shape({
  context: 'string',
  dockerfile: 'string',
  dockerfile_inline: 'string',
  entitlements: 'strings',
  args: 'variables',
  provenance: 'string',
  sbom: 'string',
  ssh: 'ssh',
  labels: 'labels',
  cache_from: 'strings',
  cache_to: 'strings',
  no_cache: 'bool',
  no_cache_filter: 'strings',
  additional_contexts: 'mapping',
  pull: 'bool',
  extra_hosts: 'hosts',
  isolation: 'string',
  network: 'string',
  target: 'string',
  secrets: list(fileMount),
  shm_size: 'bytes',
  tags: 'strings',
  ulimits: 'ulimits',
  platforms: 'strings',
  privileged: 'bool',
});

const hook = shape({
  command: 'command',
  user: 'string',
  privileged: 'bool',
  working_dir: 'string',
  environment: 'variables',
});

const preStartHook = shape({
  command: 'command',
  image: 'string',
  user: 'string',
  privileged: 'bool',
  working_dir: 'string',
  environment: 'variables',
  per_replica: 'bool',
});

const develop = shape({
  watch: list(
    shape({
      path: { kind: 'string', always: true },
      action: { kind: 'string', always: true },
      target: 'string',
      exec: struct(hook),
      include: 'strings',
      ignore: 'strings',
      initial_sync: 'bool',
    }),
  ),
});

const rate = shape({
  path: { kind: 'string', json: 'Path', always: true },
  rate: { kind: 'bytes', json: 'Rate', always: true },
});

const blkioConfig = shape({
  weight: 'uint',
  weight_device: list(
    shape({
      path: { kind: 'string', json: 'Path', always: true },
      weight: { kind: 'uint', json: 'Weight', always: true },
    }),
  ),
  device_read_bps: list(rate),
  device_read_iops: list(rate),
  device_write_bps: list(rate),
  device_write_iops: list(rate),
});

const deviceRequest = shape(
  { capabilities: 'strings', driver: 'string', count: 'count', device_ids: 'strings', options: 'mapping' },
  false,
);

const resource = shape({
  cpus: 'float',
  memory: 'bytes',
  pids: 'int',
  devices: list(deviceRequest),
  generic_resources: list(
    shape({
      discrete_resource_spec: object(
        shape({ kind: { kind: 'string', always: true }, value: { kind: 'int', always: true } }),
      ),
    }),
  ),
});

const updateConfig = shape({
  parallelism: 'uint?',
  delay: 'duration',
  failure_action: 'string',
  monitor: 'duration',
  max_failure_ratio: 'float',
  order: 'string',
});

const deploy = shape({
  mode: 'string',
  replicas: 'int?',
  labels: 'labels',
  update_config: object(updateConfig),
  rollback_config: object(updateConfig),
  resources: struct(shape({ limits: object(resource), reservations: object(resource) })),
  restart_policy: object(
    shape({ condition: 'string', delay: 'duration?', max_attempts: 'uint?', window: 'duration?' }),
  ),
  placement: struct(
    shape({
      constraints: 'strings',
      preferences: list(shape({ spread: 'string' })),
      max_replicas_per_node: 'uint',
    }),
  ),
  endpoint_mode: 'string',
});

const healthcheck = shape({
  test: 'test',
  timeout: 'duration?',
  interval: 'duration?',
  retries: 'uint?',
  start_period: 'duration?',
  start_interval: 'duration?',
  disable: 'bool',
});

const serviceNetwork = shape({
  aliases: 'strings',
  driver_opts: 'options',
  gw_priority: 'int',
  interface_name: 'string',
  ipv4_address: 'string',
  ipv6_address: 'string',
  link_local_ips: 'strings',
  mac_address: 'string',
  priority: 'int',
});

const port = shape({
  name: 'string',
  mode: 'string',
  host_ip: 'string',
  target: 'uint',
  published: 'string',
  protocol: 'string',
  app_protocol: 'string',
});

const mount = shape({
  type: 'string',
  source: 'string',
  target: 'string',
  read_only: 'bool',
  consistency: 'string',
  bind: object(shape({ selinux: 'string', propagation: 'string', create_host_path: 'bool', recursive: 'string' })),
  volume: object(shape({ labels: 'mapping', nocopy: 'bool', subpath: 'string' })),
  tmpfs: object(shape({ size: 'bytes', mode: 'uint' })),
  image: object(shape({ subpath: 'string' })),
});

/** A service, without its name. */
export const serviceShape: Shape = shape({
  profiles: 'strings',
  annotations: 'mapping',
  attach: 'bool?',
  build: object(build),
  develop: object(develop),
  blkio_config: object(blkioConfig),
  cap_add: 'strings',
  cap_drop: 'strings',
  cgroup_parent: 'string',
  cgroup: 'string',
  cpu_count: 'int',
  cpu_percent: 'float',
  cpu_period: 'int',
  cpu_quota: 'int',
  cpu_rt_period: 'int',
  cpu_rt_runtime: 'int',
  cpus: 'float',
  cpuset: 'string',
  cpu_shares: 'int',
  command: 'command',
  configs: list(fileMount),
  container_name: 'string',
  credential_spec: object(shape({ config: 'string', file: 'string', registry: 'string' })),
  depends_on: map(shape({ condition: 'string', restart: 'bool', required: { kind: 'bool', always: true } })),
  deploy: object(deploy),
  device_cgroup_rules: 'strings',
  devices: list(shape({ source: 'string', target: 'string', permissions: 'string' })),
  dns: 'strings',
  dns_opt: 'strings',
  dns_search: 'strings',
  dockerfile: 'string',
  domainname: 'string',
  entrypoint: 'command',
  provider: object(shape({ type: 'string', options: 'multi-options' })),
  environment: 'variables',
  env_file: 'env-files',
  expose: 'texts',
  extends: object(shape({ file: 'string', service: 'string' }, false)),
  external_links: 'strings',
  extra_hosts: 'hosts',
  group_add: 'texts',
  gpus: list(deviceRequest),
  hostname: 'string',
  healthcheck: object(healthcheck),
  image: 'string',
  init: 'bool?',
  ipc: 'string',
  isolation: 'string',
  labels: 'labels',
  label_file: 'strings',
  links: 'strings',
  logging: object(shape({ driver: 'string', options: 'options' })),
  log_driver: 'string',
  log_opt: 'text-map',
  mem_limit: 'bytes',
  mem_reservation: 'bytes',
  memswap_limit: 'bytes',
  mem_swappiness: 'bytes',
  mac_address: 'string',
  models: map(shape({ endpoint_var: 'string', model_var: 'string' })),
  net: 'string',
  network_mode: 'string',
  networks: map(serviceNetwork),
  oom_kill_disable: 'bool',
  oom_score_adj: 'int',
  pid: 'string',
  pids_limit: 'int',
  platform: 'string',
  ports: list(port),
  privileged: 'bool',
  pull_policy: 'string',
  read_only: 'bool',
  restart: 'string',
  runtime: 'string',
  scale: 'int?',
  secrets: list(fileMount),
  security_opt: 'strings',
  shm_size: 'bytes',
  stdin_open: 'bool',
  stop_grace_period: 'duration?',
  stop_signal: 'string',
  storage_opt: 'text-map',
  sysctls: 'mapping',
  tmpfs: 'strings',
  tty: 'bool',
  ulimits: 'ulimits',
  use_api_socket: 'bool',
  user: 'string',
  userns_mode: 'string',
  uts: 'string',
  volume_driver: 'string',
  volumes: list(mount),
  volumes_from: 'strings',
  working_dir: 'string',
  pre_start: list(preStartHook),
  post_start: list(hook),
  pre_stop: list(hook),
});

export const networkShape: Shape = shape({
  name: 'string',
  driver: 'string',
  driver_opts: 'options',
  ipam: struct(
    shape({
      driver: 'string',
      config: list(shape({ subnet: 'string', gateway: 'string', ip_range: 'string', aux_addresses: 'mapping' })),
    }),
  ),
  external: 'bool',
  internal: 'bool',
  attachable: 'bool',
  labels: 'labels',
  enable_ipv4: 'bool?',
  enable_ipv6: 'bool?',
});

export const volumeShape: Shape = shape({
  name: 'string',
  driver: 'string',
  driver_opts: 'options',
  external: 'bool',
  labels: 'labels',
});

/** A config or a secret. */
export const fileObjectShape: Shape = shape({
  name: 'string',
  file: 'string',
  environment: 'string',
  content: 'string',
  external: 'bool',
  labels: 'labels',
  driver: 'string',
  driver_opts: 'text-map',
  template_driver: 'string',
});

export const modelShape: Shape = shape({
  name: 'string',
  model: 'string',
  context_size: 'int',
  runtime_flags: 'strings',
});
