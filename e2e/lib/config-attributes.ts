import type { ConfigCase } from './config-cases.ts';

/** Ways to write each attribute of a service. */
const ATTRIBUTES: Readonly<Record<string, readonly unknown[]>> = {
  annotations: [{ a: 1, b: 'x' }, ['a=2', 'c'], { c: null }],
  attach: [true, false, 'true'],
  build: ['.', { context: './d', args: { A: 1, B: null } }, { args: ['A=2', 'C'], target: 't' }],
  cap_drop: [['NET'], ['X']],
  command: ['echo "a b" c', ['x', 'y'], [], '', null],
  configs: [['c1'], [{ source: 'c1', target: '/x', uid: '1', mode: 0o440 }], [{ source: 'c2', mode: '0440' }]],
  cpu_count: [2, '3'],
  cpu_percent: [50, '20'],
  cpu_quota: [50_000],
  cpus: [0.5, '1.25', 2],
  depends_on: [['d1'], ['d1', 'd2'], { d2: { condition: 'service_healthy', restart: true } }],
  deploy: [
    { replicas: 2, labels: { a: 'b' }, resources: { limits: { cpus: '0.5', memory: '50M', pids: 10 } } },
    { mode: 'replicated', update_config: { parallelism: 2, delay: '10s', order: 'start-first' }, labels: ['a=c'] },
    { restart_policy: { condition: 'any', delay: '5s', max_attempts: 3, window: '2m' }, endpoint_mode: 'vip' },
    { placement: { constraints: ['a==b'], preferences: [{ spread: 'x' }], max_replicas_per_node: 2 } },
  ],
  devices: [['/dev/a', '/dev/b:/dev/c:r'], [{ source: '/dev/a', target: '/dev/a', permissions: 'r' }]],
  dns: ['8.8.8.8', ['8.8.8.8', '9.9.9.9'], ['']],
  dns_search: ['x.y', ['x.y', 'z']],
  entrypoint: ['/e x', [], ['q'], null],
  environment: [{ A: 1, B: null, C: 'x', D: true, E: 1.5, F: '' }, ['A=2', 'B', 'G=a=b'], { H: 'p$$q', A: null }],
  expose: [
    [80, '81'],
    ['80', 90],
  ],
  extra_hosts: [['h1:1.1.1.1', 'h2=::1'], { h1: '1.1.1.1', h3: ['2.2.2.2', '[::2]'] }],
  gpus: ['all', [{ driver: 'nv', count: 2 }], [{ device_ids: ['1'], options: { a: 1 } }]],
  healthcheck: [
    { test: 'curl x', interval: '1m30s', timeout: '10s', retries: 3 },
    { test: ['CMD', 'a'], start_period: '0s', start_interval: '5s', retries: '5' },
    { disable: true },
    { interval: '2d' },
  ],
  init: [true, false, 'false'],
  labels: [{ a: 1, 'b.c': 'x' }, ['a=2', 'z'], { n: null }],
  links: [['d1'], ['d1:al', 'd2']],
  logging: [
    { driver: 'json-file', options: { a: 1 } },
    { driver: 'syslog', options: { c: 'y' } },
    { options: { z: '1' } },
  ],
  mem_limit: ['1g', 5_000_000, '512mb', '1.5g'],
  memswap_limit: [-1, '2g'],
  networks: [['n1'], ['n1', 'default'], { n2: { aliases: ['x', 'y'], priority: 10 }, n1: null }, {}],
  ports: [
    ['80', '8080:80', '127.0.0.1:8081:81/udp'],
    ['3000-3002', '9090-9091:8080-8081', 8080],
    [
      { target: 80, published: '8080', protocol: 'tcp', mode: 'host' },
      { target: 99, published: 99, name: 'n' },
    ],
    ['[::1]:6:7', '5000-5010:7777'],
  ],
  pull_policy: ['always', 'if_not_present', 'every_2d'],
  secrets: [['s1'], [{ source: 's1', target: 'x', mode: 256 }, 's2'], [{ source: 's2', uid: '103', gid: '5' }]],
  stop_grace_period: ['1m10s', '20s'],
  sysctls: [{ 'net.core.somaxconn': 1024, a: '0' }, ['net.core.somaxconn=5', 'b=2']],
  tmpfs: ['/run', ['/run', '/tmp:size=1']],
  ulimits: [{ nproc: 65_535, nofile: { soft: 20_000, hard: 40_000 } }, { nofile: 7 }],
  volumes: [
    ['v1:/v', './rel:/rel', '/anon', '/abs:/abs:ro'],
    [{ type: 'bind', source: './b', target: '/b', bind: { propagation: 'shared' } }, 'v2:/v:nocopy,z'],
    [{ type: 'tmpfs', target: '/t', tmpfs: { size: '10m', mode: 1023 } }, '~/h:/h:rw,rshared'],
    [{ type: 'image', source: 'i', target: '/i', image: { subpath: 'q' } }],
  ],
  'x-ext': [{ a: [1, 2.5, 'x'], b: null }],
};

/** A base file and an override with attributes picked by the seed: the same for the same seed. */
export function attributeCase(seed: number): ConfigCase {
  const pick = picker(seed);
  const service = (count: number): Record<string, unknown> => {
    const names = Object.keys(ATTRIBUTES);
    const chosen = Array.from({ length: count }, () => names[pick(names.length)] ?? 'labels');
    return Object.fromEntries(chosen.map((name) => [name, ATTRIBUTES[name]?.[pick(ATTRIBUTES[name]?.length ?? 1)]]));
  };
  const base = {
    services: {
      web: { image: 'a', ...service(14) },
      job: { image: 'b', ...service(8) },
      d1: { image: 'd' },
      d2: { image: 'd' },
    },
    networks: { n1: { labels: { a: 1 } }, n2: { internal: true } },
    volumes: { v1: null, v2: { labels: ['a=1'] } },
    configs: { c1: { file: './c' }, c2: { external: true } },
    secrets: { s1: { file: './s' }, s2: { environment: 'HOME' } },
  };
  const override = { services: { web: service(8), more: { image: 'm', extends: 'web', ...service(4) } } };
  return {
    name: `attributes, seed ${seed}`,
    files: { 'compose.yaml': JSON.stringify(base), 'override.yaml': JSON.stringify(override) },
    read: ['compose.yaml', 'override.yaml'],
  };
}

function picker(seed: number): (below: number) => number {
  let state = seed * 7919 + 13;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}
