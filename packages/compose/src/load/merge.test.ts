import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Folder, serviceOf } from './testing.ts';

/** What one attribute is after an override file: base, override, result. */
const SERVICE_CASES: readonly (readonly [string, string, string, unknown])[] = [
  ['image', 'a', 'b', 'b'],
  ['command', '[a, b]', 'c d', ['c', 'd']],
  ['command', 'a', '[]', []],
  ['entrypoint', '[a]', '[b]', ['b']],
  ['environment', '{A: 1, B: 2}', '[B=3, C]', { A: '1', B: '3', C: null }],
  ['environment', '[A=1]', '{A: }', { A: null }],
  ['labels', '[a=1, b=2]', '{b: 3}', { a: '1', b: '3' }],
  ['cap_add', '[A, B]', '[C]', ['A', 'B', 'C']],
  ['dns', '1.1.1.1', '[2.2.2.2, 1.1.1.1]', ['1.1.1.1', '2.2.2.2']],
  ['tmpfs', '/a', '/b', ['/a', '/b']],
  ['expose', '[80]', '["80", 90]', ['80', '90']],
  ['extra_hosts', '["a:1.1.1.1"]', '{b: 2.2.2.2}', ['a=1.1.1.1', 'b=2.2.2.2']],
  [
    'logging',
    '{driver: json-file, options: {a: "1"}}',
    '{options: {b: "2"}}',
    logging('json-file', { a: '1', b: '2' }),
  ],
  ['logging', '{driver: json-file, options: {a: "1"}}', '{driver: syslog}', { driver: 'syslog' }],
  ['healthcheck', '{test: a, retries: 3}', '{test: [CMD, b]}', { test: ['CMD', 'b'], retries: 3 }],
  ['ulimits', '{nofile: 5, nproc: 6}', '{nofile: {soft: 1, hard: 2}}', { nofile: { soft: 1, hard: 2 }, nproc: 6 }],
  ['sysctls', '{a: 1}', '[b=2]', { a: '1', b: '2' }],
  ['devices', '["/a:/x", /b]', '["/c:/x:r"]', [device('/c', '/x', 'r'), device('/b', '/b', 'rwm')]],
  ['ports', '["80:80"]', '["80:80", "81:81"]', [port('80', 80), port('81', 81)]],
  ['ports', '["8000-8001:80-81"]', '["8001:81"]', [port('8000', 80), port('8001', 81)]],
  [
    'volumes',
    '["./a:/x", /yy]',
    '["bb:/x"]',
    [
      { type: 'volume', source: 'bb', target: '/x', volume: {} },
      { type: 'volume', target: '/yy', volume: {} },
    ],
  ],
  ['secrets', '[s1]', '[{source: s1, uid: "1"}]', [{ source: 's1', target: '/run/secrets/s1', uid: '1' }]],
  ['networks', '[n1]', '{n2: {aliases: [x]}}', { n1: null, n2: { aliases: ['x'] } }],
  [
    'depends_on',
    '[d1]',
    '{d1: {condition: service_healthy}, d2: {condition: service_started, required: false}}',
    {
      d1: { condition: 'service_healthy', required: true },
      d2: { condition: 'service_started', required: false },
    },
  ],
  ['command', '!override [a]', '!reset null', undefined],
  ['environment', '{A: 1}', '!override {B: 2}', { B: '2' }],
  ['ports', '["80:80"]', '!reset []', undefined],
];

function logging(driver: string, options: Record<string, string>) {
  return { driver, options };
}

function device(source: string, target: string, permissions: string) {
  return { source, target, permissions };
}

function port(published: string, target: number) {
  return { mode: 'ingress', target, published, protocol: 'tcp' };
}

const TOP = [
  'networks: {n1: , n2: }',
  'volumes: {bb: }',
  'secrets: {s1: {file: s}}',
  'services:\n  d1: {image: d}\n  d2: {image: d}\n  web:',
].join('\n');

for (const [attribute, base, override, expected] of SERVICE_CASES)
  test(`an override of ${attribute}: ${base} with ${override}`, async () => {
    using folder = new Folder({
      'compose.yaml': `${TOP}\n    ${attribute === 'image' ? '' : 'image: i\n    '}${attribute}: ${base}\n`,
      'compose.override.yaml': `services: {web: {${attribute}: ${override}}}\n`,
    });
    const web = serviceOf(await folder.load(), 'web');
    assert.deepEqual(web[attribute as keyof typeof web], expected);
  });

test('build as a text and as a mapping are merged', async () => {
  using folder = new Folder({
    'compose.yaml': 'services: {web: {build: ./app}}',
    'compose.override.yaml': 'services: {web: {build: {target: dev, args: [A=1]}}}',
  });
  assert.deepEqual(serviceOf(await folder.load(), 'web').build, {
    context: 'DIR/app',
    dockerfile: 'Dockerfile',
    target: 'dev',
    args: { A: '1' },
  });
});

test('pools of a network are merged by their subnet', async () => {
  using folder = new Folder({
    'compose.yaml':
      'services: {web: {image: i, networks: [n]}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/8, gateway: 10.0.0.1}]}}}',
    'compose.override.yaml':
      'networks: {n: {ipam: {config: [{subnet: 10.0.0.0/8, ip_range: 10.1.0.0/16}, {subnet: 11.0.0.0/8}]}}}',
  });
  assert.deepEqual((await folder.load()).networks['n']?.ipam.config, [
    { subnet: '10.0.0.0/8', gateway: '10.0.0.1', ip_range: '10.1.0.0/16' },
    { subnet: '11.0.0.0/8' },
  ]);
});

test('a list cannot be laid over a mapping', async () => {
  using folder = new Folder({
    'compose.yaml': 'services:\n  web:\n    image: i\n    healthcheck: {retries: 1}\n',
    'compose.override.yaml': 'services:\n  web:\n    healthcheck:\n      - x\n',
  });
  const { message, hint } = await folder.refusal();
  assert.equal(message, 'cannot override services.web.healthcheck');
  assert.match(hint, /^compose\.override\.yaml:3:5: .*"!override" replaces it$/);
});

test('several documents of one file are laid over each other', async () => {
  using folder = new Folder({
    'compose.yaml':
      'services: {web: {image: a, labels: [a=1]}}\n---\nservices: {web: {labels: [b=2]}, db: {image: c}}\n',
  });
  const project = await folder.load();
  assert.deepEqual(Object.keys(project.services).sort(), ['db', 'web']);
  assert.deepEqual(serviceOf(project, 'web').labels, { a: '1', b: '2' });
});
