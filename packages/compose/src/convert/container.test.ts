import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../model/service.ts';
import type { ObservedMount } from '../plan/observed.ts';
import { project } from '../plan/test-support.ts';
import { withApiSocket } from './api-socket.ts';
import { type ContainerFacts, containerRequest } from './container.ts';
import type { HostFiles } from './host.ts';

const host: HostFiles = {
  read: (path) => Buffer.from(`content of ${path}`),
  kind: (path) => (path.endsWith('/') ? 'directory' : path === '/none' ? 'missing' : 'file'),
};

function request(service: Service, more: Partial<ContainerFacts> = {}, of: Parameters<typeof project>[1] = {}) {
  const app = project({ web: service }, of);
  return containerRequest({
    project: app,
    name: 'web',
    service: app.services['web'] as Service,
    number: 1,
    envFiles: [],
    image: { id: 'sha256:img', volumes: [] },
    inherited: [],
    apiVersion: '1.50',
    proxyEnvironment: {},
    namesOf: (name) => [`app-${name}-1`],
    host,
    ...more,
  });
}

const body = (...args: Parameters<typeof request>) => request(...args).body;

test('containerRequest() labels a container as docker compose does', () => {
  const { Labels } = body(
    { labels: { own: 'x' }, depends_on: { db: { condition: 'service_healthy', restart: true, required: true } } },
    { envFiles: ['/app/.env.prod'], replaces: 'web-1' },
  );
  const { 'com.docker.compose.config-hash': hash, ...labels } = Labels ?? {};
  assert.match(hash ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(labels, {
    own: 'x',
    'com.docker.compose.project': 'app',
    'com.docker.compose.service': 'web',
    'com.docker.compose.version': '2.40.3',
    'com.docker.compose.project.working_dir': '/app',
    'com.docker.compose.project.config_files': '/app/compose.yaml',
    'com.docker.compose.project.environment_file': '/app/.env.prod',
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.image': 'sha256:img',
    'com.docker.compose.replace': 'web-1',
    'com.docker.compose.container-number': '1',
    'com.docker.compose.depends_on': 'db:service_healthy:true',
  });
});

test('containerRequest() asks for restarts by restart, deploy.restart_policy, and on-unhealthy by a label', () => {
  const table: readonly (readonly [Service, string, number, boolean])[] = [
    [{}, '', 0, false],
    [{ restart: 'unless-stopped' }, 'unless-stopped', 0, false],
    [{ restart: 'on-failure:3' }, 'on-failure', 3, false],
    [{ restart: 'no' }, 'no', 0, false],
    [{ restart: 'on-unhealthy:2' }, 'on-failure', 2, true],
    [
      {
        restart: 'always',
        deploy: { resources: {}, placement: {}, restart_policy: { condition: 'any', max_attempts: 2 } },
      },
      'always',
      2,
      false,
    ],
  ];
  for (const [service, Name, MaximumRetryCount, labelled] of table) {
    const { HostConfig, Labels } = body(service);
    assert.deepEqual(HostConfig?.RestartPolicy, { Name, MaximumRetryCount });
    assert.equal(Labels?.['io.wharf.restart-on-unhealthy'] === 'true', labelled);
  }
});

test('containerRequest() limits as deploy.resources says, else as the service does', () => {
  const { HostConfig } = body({
    mem_limit: '1000',
    cpus: 0.1,
    pids_limit: 5,
    mem_swappiness: '10',
    deploy: { placement: {}, resources: { limits: { cpus: 0.25, memory: '2000' }, reservations: { memory: '500' } } },
    ulimits: { nproc: 10, nofile: { soft: 1, hard: 2 } },
    gpus: [{ count: -1, driver: 'nvidia' }],
    devices: [
      { source: '/dev/a', target: '/dev/b', permissions: 'rw' },
      { source: 'vendor.com/gpu=0', target: 'vendor.com/gpu=0' },
    ],
  });
  assert.equal(HostConfig?.Memory, 2000);
  assert.equal(HostConfig.NanoCpus, 250_000_000);
  assert.equal(HostConfig.PidsLimit, 5);
  assert.equal(HostConfig.MemoryReservation, 500);
  assert.equal(HostConfig.MemorySwappiness, 10);
  assert.deepEqual(HostConfig.Ulimits, [
    { Name: 'nproc', Soft: 10, Hard: 10 },
    { Name: 'nofile', Soft: 1, Hard: 2 },
  ]);
  assert.deepEqual(HostConfig.Devices, [{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rw' }]);
  assert.deepEqual(HostConfig.DeviceRequests, [
    { Driver: 'cdi', DeviceIDs: ['vendor.com/gpu=0'] },
    { Driver: 'nvidia', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: null },
  ]);
  assert.equal(body({ cpus: 0.1 }).HostConfig?.NanoCpus, 100_000_000);
});

test('containerRequest() mounts by Binds where they suffice, else by Mounts', () => {
  const of = { volumes: { data: { name: 'app_data' } } };
  const table: readonly (readonly [NonNullable<Service['volumes']>[number], unknown])[] = [
    [{ type: 'bind', source: '/a', target: '/t', bind: { create_host_path: true } }, '/a:/t:rw'],
    [
      { type: 'bind', source: '/a', target: '/t', read_only: true, bind: { create_host_path: true, selinux: 'z' } },
      '/a:/t:ro,z',
    ],
    [{ type: 'volume', source: 'data', target: '/t', volume: {} }, 'app_data:/t:rw'],
    [
      { type: 'bind', source: '/a', target: '/t', bind: {} },
      { Type: 'bind', Source: '/a', Target: '/t', BindOptions: {} },
    ],
    [
      { type: 'volume', target: '/t', volume: {} },
      { Type: 'volume', Target: '/t', VolumeOptions: {} },
    ],
    [
      { type: 'volume', source: 'data', target: '/t', volume: { subpath: 'x' } },
      { Type: 'volume', Source: 'app_data', Target: '/t', VolumeOptions: { Subpath: 'x' } },
    ],
    [
      { type: 'tmpfs', target: '/t', tmpfs: { size: '10', mode: 493 } },
      { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 10, Mode: 493 } },
    ],
    [
      { type: 'image', source: 'img', target: '/t', image: { subpath: 'd' } },
      { Type: 'image', Source: 'img', Target: '/t', ImageOptions: { Subpath: 'd' } },
    ],
  ];
  for (const [mount, expected] of table) {
    const { HostConfig } = JSON.parse(JSON.stringify(body({ volumes: [mount] }, {}, of))) as ReturnType<typeof body>;
    assert.deepEqual(HostConfig?.Binds?.[0] ?? HostConfig?.Mounts?.[0], expected);
  }
  assert.throws(() => body({ volumes: [{ type: 'image', source: 'i', target: '/t' }] }, { apiVersion: '1.47' }), {
    message: 'volume with type=image require Docker Engine v28 or later',
  });
});

test('containerRequest() takes anonymous volumes over, and nothing else', () => {
  const mount = (name: string, target: string, type = 'volume'): ObservedMount => ({
    type,
    name,
    source: `/v/${name}`,
    target,
    writable: true,
  });
  const inherited = [
    mount('anon', '/own'),
    mount('image', '/declared'),
    mount('old', '/other'),
    mount('', '/tmp', 'tmpfs'),
  ];
  const { HostConfig } = body(
    { volumes: [{ type: 'volume', target: '/own', volume: {} }] },
    { inherited, image: { volumes: ['/declared'] } },
  );
  assert.deepEqual(HostConfig?.Mounts, [
    { Type: 'volume', Source: 'anon', Target: '/own', ReadOnly: false },
    { Type: 'volume', Source: 'image', Target: '/declared', ReadOnly: false },
  ]);
});

test('containerRequest() joins all networks at once, the one of the highest priority first', () => {
  const of = { networks: { a: { name: 'app_a', ipam: {} }, b: { name: 'app_b', ipam: {} } } };
  const service: Service = {
    networks: { a: { aliases: ['x'], interface_name: 'eth9' }, b: { priority: 5, ipv4_address: '10.0.0.2' } },
  };
  const { HostConfig, NetworkingConfig } = body(service, {}, of);
  assert.equal(HostConfig?.NetworkMode, 'app_b');
  const endpoints = NetworkingConfig?.EndpointsConfig ?? {};
  assert.deepEqual(Object.keys(endpoints).toSorted(), ['app_a', 'app_b']);
  assert.deepEqual(endpoints['app_a']?.Aliases, ['app-web-1', 'web', 'x']);
  assert.deepEqual(endpoints['app_a']?.DriverOpts, { 'com.docker.network.endpoint.ifname': 'eth9' });
  assert.equal(endpoints['app_b']?.IPAMConfig?.IPv4Address, '10.0.0.2');
  const old = request({ networks: { a: null, b: { priority: 5 } } }, { apiVersion: '1.43' }, of);
  assert.deepEqual(Object.keys(old.body.NetworkingConfig?.EndpointsConfig ?? {}), ['app_b']);
  assert.deepEqual(
    old.connect.map(({ network }) => network),
    ['app_a'],
  );
  assert.throws(() => body(service, { apiVersion: '1.48' }, of), {
    message: 'interface_name requires Docker Engine v28.1 or later',
  });
  assert.throws(() => body({ mac_address: 'a', networks: { a: { mac_address: 'b' } } }, {}, of), {
    message: 'the service-level mac_address should have the same value as network a',
  });
  assert.equal(body({ network_mode: 'host' }).NetworkingConfig, undefined);
  assert.equal(body({}, {}, { networks: {} }).HostConfig?.NetworkMode, 'none');
});

test('containerRequest() links by all names', () => {
  const { HostConfig } = body({ links: ['db:store'], external_links: ['other', 'more:m'] });
  assert.deepEqual(HostConfig?.Links, [
    'app-db-1:store',
    'app-db-1:db-1',
    'app-db-1:app-db-1',
    'other:other',
    'more:m',
  ]);
});

test('containerRequest() sets the environment over the proxies of the client', () => {
  const { Env } = body(
    { environment: { A: '1', HTTP_PROXY: 'own', NONE: null } },
    { proxyEnvironment: { HTTP_PROXY: 'p', NO_PROXY: 'n' } },
  );
  assert.deepEqual(Env, ['HTTP_PROXY=own', 'NO_PROXY=n', 'A=1', 'NONE']);
});

test('containerRequest() mounts files, and leaves out what is written into the container', () => {
  const of = {
    environment: { TOKEN: 't' },
    secrets: {
      file: { name: 'app_file', file: '/s' },
      env: { name: 'app_env', environment: 'TOKEN' },
      none: { name: 'n', file: '/none' },
    },
    configs: { text: { content: 'hi' }, dir: { file: '/dir/' } },
  };
  const result = request(
    {
      secrets: [
        { source: 'file' },
        { source: 'env' },
        { source: 'file', target: 'owned', uid: '5' },
        { source: 'none', target: '/x' },
      ],
      configs: [
        { source: 'text', target: '/text' },
        { source: 'dir', target: '/dir', mode: '0400' },
      ],
    },
    {},
    of,
  );
  assert.deepEqual(
    result.body.HostConfig?.Mounts?.map(({ Source, Target, ReadOnly }) => `${Source} ${Target} ${ReadOnly}`),
    ['/s /run/secrets/file true', '/none /x true', '/dir/ /dir true'],
  );
  assert.deepEqual(result.warnings, [
    'secret file n does not exist',
    'config `uid`, `gid` and `mode` are not supported, they will be ignored',
  ]);
});

test('containerRequest() refuses what the daemon would get wrong', () => {
  const health = { test: ['CMD', 'true'], start_interval: '1s' };
  const table: readonly (readonly [Service, RegExp, Partial<ContainerFacts>?])[] = [
    [{ healthcheck: health }, /requires healthcheck.start_period to be set/],
    [{ healthcheck: { ...health, start_period: '1s' } }, /require Docker Engine v25 or later/, { apiVersion: '1.43' }],
    [{ security_opt: ['nonsense'] }, /^invalid security-opt: "nonsense"$/],
    [{ security_opt: ['seccomp=profile.json'] }, /compacting json for seccomp profile \(profile.json\) failed/],
    [{ secrets: [{ source: 'out' }] }, /^unsupported external secret out$/],
    [{ read_only: true, configs: [{ source: 'text' }] }, /cannot create config "t" in read-only service web/],
    [{ secrets: [{ source: 'env' }] }, /environment variable "GONE" required by secret "e" is not set/],
  ];
  const of = {
    secrets: { out: { name: 'out', external: true }, env: { name: 'e', environment: 'GONE' } },
    configs: { text: { name: 't', content: 'x' } },
  };
  for (const [service, message, more] of table) assert.throws(() => body(service, more, of), { message });
});

test('containerRequest() unmasks paths and compacts profiles', () => {
  const profile = { ...host, read: () => Buffer.from('{ "a":\n 1 }') };
  const { HostConfig } = body(
    { security_opt: ['systempaths=unconfined', 'seccomp:p.json', 'label=x'] },
    { host: profile },
  );
  assert.deepEqual(HostConfig?.SecurityOpt, ['seccomp={"a":1}', 'label=x']);
  assert.deepEqual(HostConfig.MaskedPaths, []);
});

test('withApiSocket() gives the socket and credentials to services that ask for them', () => {
  const app = withApiSocket(project({ a: { use_api_socket: true, environment: { Z: '1' } }, b: {} }), '{}');
  assert.deepEqual(app.services['a']?.environment, { DOCKER_CONFIG: '/run/secrets/docker', Z: '1' });
  assert.equal(app.services['a']?.volumes?.[0]?.target, '/var/run/docker.sock');
  assert.equal(app.configs['#apisocket']?.content, '{}');
  assert.equal(app.services['b']?.volumes, undefined);
});
