import type { JsonType, Rule } from './schema.ts';

/** What a Compose file may say: the specification's schema, as far as it is about shape. */

const of = (...types: JsonType[]): Rule => ({ types });
const text = of('string');
const flag = of('boolean', 'string');
const integer = of('integer', 'string');
const number = of('number', 'string');
const anything: Rule = {};
const EXTENSION: readonly [RegExp, Rule] = [/^x-/, anything];
const NAME = /^[a-zA-Z0-9._-]+$/;

/** A mapping with these keys, `x-` keys, and no others. */
function object(properties: Record<string, Rule>, more: Partial<Rule> = {}): Rule {
  return { types: ['object'], properties, patterns: [EXTENSION], closed: true, ...more };
}

/** The same without `x-` keys. */
function strict(properties: Record<string, Rule>, more: Partial<Rule> = {}): Rule {
  return { types: ['object'], properties, closed: true, ...more };
}

function listOf(items: Rule, unique = false): Rule {
  return { types: ['array'], items, unique };
}

function mapOf(pattern: RegExp, rule: Rule, closed = false): Rule {
  return { types: ['object'], patterns: [[pattern, rule]], closed };
}

function either(...oneOf: Rule[]): Rule {
  return { oneOf };
}

function oneOfWords(...words: string[]): Rule {
  return { types: ['string'], enum: words };
}

const texts = listOf(text);
const distinctTexts = listOf(text, true);
const textOrList = either(text, distinctTexts);
const listOrDict = either(mapOf(/[^\n]/, of('string', 'number', 'boolean', 'null'), true), distinctTexts);
const driverOptions = mapOf(/^[^\n]+$/, of('string', 'number'));
const command = either(of('null'), text, texts);
const extraHosts = either(mapOf(/[^\n]/, either(text, texts), true), distinctTexts);
const fileMounts = listOf(either(text, object({ source: text, target: text, uid: text, gid: text, mode: number })));

const ulimits = mapOf(
  /^[a-z]+$/,
  either(integer, object({ hard: integer, soft: integer }, { required: ['soft', 'hard'] })),
);

const hookFields = { command, user: text, privileged: flag, working_dir: text, environment: listOrDict };
const hook = object(hookFields, { required: ['command'] });
const preStartHook = object({ ...hookFields, image: text, per_replica: flag });

const deviceRequestFields = {
  capabilities: distinctTexts,
  count: integer,
  device_ids: distinctTexts,
  driver: text,
  options: listOrDict,
};

const build = either(
  text,
  object({
    context: text,
    dockerfile: text,
    dockerfile_inline: text,
    entitlements: texts,
    args: listOrDict,
    ssh: listOrDict,
    labels: listOrDict,
    cache_from: texts,
    cache_to: texts,
    no_cache: flag,
    no_cache_filter: textOrList,
    additional_contexts: listOrDict,
    network: text,
    provenance: of('string', 'boolean'),
    sbom: of('string', 'boolean'),
    pull: flag,
    target: text,
    shm_size: integer,
    extra_hosts: extraHosts,
    isolation: text,
    privileged: flag,
    secrets: fileMounts,
    tags: texts,
    ulimits,
    platforms: texts,
  }),
);

const blkioLimits = listOf(strict({ path: text, rate: integer }));
const blkio = strict({
  device_read_bps: blkioLimits,
  device_read_iops: blkioLimits,
  device_write_bps: blkioLimits,
  device_write_iops: blkioLimits,
  weight: integer,
  weight_device: listOf(strict({ path: text, weight: integer })),
});

const updateConfig = object({
  parallelism: integer,
  delay: text,
  failure_action: text,
  monitor: text,
  max_failure_ratio: number,
  order: oneOfWords('start-first', 'stop-first'),
});

const genericResources = listOf(object({ discrete_resource_spec: object({ kind: text, value: number }) }));

const deploy: Rule = object(
  {
    mode: text,
    endpoint_mode: text,
    replicas: integer,
    labels: listOrDict,
    rollback_config: updateConfig,
    update_config: updateConfig,
    resources: object({
      limits: object({ cpus: number, memory: text, pids: integer }),
      reservations: object({
        cpus: number,
        memory: text,
        generic_resources: genericResources,
        devices: listOf(object(deviceRequestFields, { required: ['capabilities'] })),
      }),
    }),
    restart_policy: object({ condition: text, delay: text, max_attempts: integer, window: text }),
    placement: object({
      constraints: texts,
      preferences: listOf(object({ spread: text })),
      max_replicas_per_node: integer,
    }),
  },
  { types: ['object', 'null'] },
);

const develop: Rule = object(
  {
    watch: listOf(
      object(
        {
          ignore: textOrList,
          include: textOrList,
          path: text,
          action: oneOfWords('rebuild', 'sync', 'restart', 'sync+restart', 'sync+exec'),
          target: text,
          exec: hook,
          initial_sync: of('boolean'),
        },
        { required: ['path', 'action'] },
      ),
    ),
  },
  { types: ['object', 'null'] },
);

const dependsOn = either(
  distinctTexts,
  mapOf(
    NAME,
    object(
      {
        restart: flag,
        required: of('boolean'),
        condition: oneOfWords('service_started', 'service_healthy', 'service_completed_successfully'),
      },
      { required: ['condition'] },
    ),
    true,
  ),
);

const envFile = either(
  text,
  listOf(either(text, strict({ path: text, format: text, required: flag }, { required: ['path'] }))),
);

const gpus = either(oneOfWords('all'), listOf({ types: ['object'], properties: deviceRequestFields }));

const healthcheck = object({
  disable: flag,
  interval: text,
  retries: number,
  test: either(text, texts),
  timeout: text,
  start_period: text,
  start_interval: text,
});

const serviceNetworks = either(
  distinctTexts,
  mapOf(
    NAME,
    either(
      object({
        aliases: distinctTexts,
        interface_name: text,
        ipv4_address: text,
        ipv6_address: text,
        link_local_ips: distinctTexts,
        mac_address: text,
        driver_opts: driverOptions,
        priority: of('number'),
        gw_priority: of('number'),
      }),
      of('null'),
    ),
    true,
  ),
);

const serviceModels = either(
  distinctTexts,
  mapOf(NAME, either(object({ endpoint_var: text, model_var: text }), of('null'))),
);

const ports = listOf(
  either(
    of('number'),
    text,
    object({
      name: text,
      mode: text,
      host_ip: text,
      target: integer,
      published: integer,
      protocol: text,
      app_protocol: text,
    }),
  ),
  true,
);

const volumes = listOf(
  either(
    text,
    object(
      {
        type: oneOfWords('bind', 'volume', 'tmpfs', 'cluster', 'npipe', 'image'),
        source: text,
        target: text,
        read_only: flag,
        consistency: text,
        bind: object({
          propagation: text,
          create_host_path: flag,
          recursive: oneOfWords('enabled', 'disabled', 'writable', 'readonly'),
          selinux: oneOfWords('z', 'Z'),
        }),
        volume: object({ labels: listOrDict, nocopy: flag, subpath: text }),
        tmpfs: object({ size: either({ types: ['integer'], minimum: 0 }, text), mode: number }),
        image: object({ subpath: text }),
      },
      { required: ['type'] },
    ),
  ),
  true,
);

const providerValue = of('string', 'number', 'boolean');

const service = object({
  develop,
  deploy,
  annotations: listOrDict,
  attach: flag,
  build,
  blkio_config: blkio,
  cap_add: distinctTexts,
  cap_drop: distinctTexts,
  cgroup: oneOfWords('host', 'private'),
  cgroup_parent: text,
  command,
  configs: fileMounts,
  container_name: { types: ['string'], pattern: /[a-zA-Z0-9][a-zA-Z0-9_.-]+/ },
  cpu_count: either(text, { types: ['integer'], minimum: 0 }),
  cpu_percent: either(text, { types: ['integer'], minimum: 0, maximum: 100 }),
  cpu_shares: number,
  cpu_quota: number,
  cpu_period: number,
  cpu_rt_period: number,
  cpu_rt_runtime: number,
  cpus: number,
  cpuset: text,
  credential_spec: object({ config: text, file: text, registry: text }),
  depends_on: dependsOn,
  device_cgroup_rules: distinctTexts,
  devices: listOf(either(text, object({ source: text, target: text, permissions: text }, { required: ['source'] }))),
  dns: textOrList,
  dns_opt: distinctTexts,
  dns_search: textOrList,
  domainname: text,
  entrypoint: command,
  env_file: envFile,
  label_file: either(text, texts),
  environment: listOrDict,
  expose: listOf(of('string', 'number'), true),
  extends: either(text, strict({ service: text, file: text }, { required: ['service'] })),
  provider: object(
    { type: text, options: mapOf(/^[^\n]+$/, either(providerValue, listOf(providerValue))) },
    { required: ['type'] },
  ),
  external_links: distinctTexts,
  extra_hosts: extraHosts,
  gpus,
  group_add: listOf(of('string', 'number'), true),
  healthcheck,
  hostname: text,
  image: text,
  init: flag,
  ipc: text,
  isolation: text,
  labels: listOrDict,
  links: distinctTexts,
  logging: object({ driver: text, options: mapOf(/^[^\n]+$/, of('string', 'number', 'null')) }),
  mac_address: text,
  mem_limit: number,
  mem_reservation: of('string', 'integer'),
  mem_swappiness: integer,
  memswap_limit: number,
  network_mode: text,
  models: serviceModels,
  networks: serviceNetworks,
  oom_kill_disable: flag,
  oom_score_adj: either(text, { types: ['integer'], minimum: -1000, maximum: 1000 }),
  pid: of('string', 'null'),
  pids_limit: number,
  platform: text,
  ports,
  pre_start: listOf(preStartHook),
  post_start: listOf(hook),
  pre_stop: listOf(hook),
  privileged: flag,
  profiles: distinctTexts,
  pull_policy: {
    types: ['string'],
    pattern: /always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+/,
  },
  pull_refresh_after: text,
  read_only: flag,
  restart: text,
  runtime: text,
  scale: integer,
  security_opt: distinctTexts,
  shm_size: number,
  secrets: fileMounts,
  sysctls: listOrDict,
  stdin_open: flag,
  stop_grace_period: text,
  stop_signal: text,
  storage_opt: of('object'),
  tmpfs: textOrList,
  tty: flag,
  ulimits,
  use_api_socket: of('boolean'),
  user: text,
  uts: text,
  userns_mode: text,
  volumes,
  volumes_from: distinctTexts,
  working_dir: text,
});

const external: Rule = {
  types: ['boolean', 'string', 'object'],
  properties: { name: text },
  patterns: [EXTENSION],
  closed: true,
};
const externalOpen: Rule = { types: ['boolean', 'string', 'object'], properties: { name: text } };

const network: Rule = object(
  {
    name: text,
    driver: text,
    driver_opts: driverOptions,
    ipam: object({
      driver: text,
      config: listOf(
        object({ subnet: text, ip_range: text, gateway: text, aux_addresses: mapOf(/^[^\n]+$/, text, true) }),
      ),
      options: mapOf(/^[^\n]+$/, text, true),
    }),
    external,
    internal: flag,
    enable_ipv4: flag,
    enable_ipv6: flag,
    attachable: flag,
    labels: listOrDict,
  },
  { types: ['object', 'null'] },
);

const volume: Rule = object(
  { name: text, driver: text, driver_opts: driverOptions, external, labels: listOrDict },
  { types: ['object', 'null'] },
);

const secret = object({
  name: text,
  environment: text,
  file: text,
  external: externalOpen,
  labels: listOrDict,
  driver: text,
  driver_opts: driverOptions,
  template_driver: text,
});

const config = object({
  name: text,
  content: text,
  environment: text,
  file: text,
  external: externalOpen,
  labels: listOrDict,
  template_driver: text,
});

const model = object(
  { name: text, model: text, context_size: of('integer'), runtime_flags: texts },
  { required: ['model'] },
);

const include = either(text, strict({ path: textOrList, env_file: textOrList, project_directory: text }));

/** A whole Compose file. */
export const composeSchema: Rule = object({
  version: text,
  name: text,
  include: listOf(include),
  services: mapOf(NAME, service, true),
  models: mapOf(NAME, model),
  networks: mapOf(NAME, network),
  volumes: mapOf(NAME, volume, true),
  secrets: mapOf(NAME, secret, true),
  configs: mapOf(NAME, config, true),
});
