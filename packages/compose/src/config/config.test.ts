import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LoadOptions } from '../load/options.ts';
import { Folder } from '../load/testing.ts';
import {
  configEnvironment,
  configHashes,
  configImages,
  configProfiles,
  configResources,
  configServices,
  configVariables,
  renderConfig,
} from './config.ts';
import { networkHash, serviceHash, volumeHash } from './hash.ts';
import { renderVariables } from './variables.ts';

const APP = `
services:
  web:
    image: "a:\${TAG:-1}"
    depends_on: [db]
    profiles: []
    command: echo $$HOME \${X?no} \${Y:+there}
    environment: {B: 'x$$y'}
  db: {image: pg, volumes: ["data:/d"], networks: [back]}
  tool: {build: ., profiles: [dev, ops], models: {m: }}
networks: {back: }
volumes: {data: }
models: {m: {model: ai/x}}
`;

function optionsOf(folder: Folder, more: Partial<LoadOptions> = {}): LoadOptions {
  return { cwd: folder.path, environment: { X: 'x' }, ...more };
}

test('what config lists', async () => {
  using folder = new Folder({ 'compose.yaml': APP });
  const load = optionsOf(folder);
  const all = optionsOf(folder, { profiles: ['*'] });
  assert.deepEqual(await configServices(load), ['db', 'web']);
  assert.deepEqual(await configServices(optionsOf(folder, { interpolate: false })), ['db', 'tool', 'web']);
  assert.deepEqual(await configImages(all), ['pg', 'demo-tool', 'a:1']);
  assert.deepEqual(await configProfiles(load), ['dev', 'ops']);
  assert.deepEqual(await configResources(load, 'networks'), ['back', 'default']);
  assert.deepEqual(await configResources(load, 'volumes'), ['data']);
  assert.deepEqual(await configResources(all, 'models'), ['ai/x']);
  const lines = await configEnvironment(load);
  assert.deepEqual(lines, ['COMPOSE_PROJECT_NAME=demo', `PWD=${folder.path}`, 'X=x']);
});

test('config --variables tells what the files ask for', async () => {
  using folder = new Folder({ 'compose.yaml': APP });
  const variables = await configVariables(optionsOf(folder, { environment: {} }));
  assert.deepEqual(variables, [
    { name: 'TAG', defaultValue: '1', presenceValue: '', required: false },
    { name: 'X', defaultValue: '', presenceValue: '', required: true },
    { name: 'Y', defaultValue: '', presenceValue: 'there', required: false },
  ]);
  const [tag] = variables;
  assert.ok(tag);
  assert.equal(
    renderVariables([tag], 'yaml'),
    'TAG:\n    name: TAG\n    defaultvalue: "1"\n    presencevalue: ""\n    required: false\n',
  );
  assert.match(renderVariables([tag], 'json'), /^\{\n {4}"TAG": \{\n {8}"Name": "TAG",/);
});

test('config pins images to the digests it is told', async () => {
  using folder = new Folder({
    'compose.yaml': `services: {a: {image: nginx}, b: {image: "r.io/x:1"}, c: {image: "z@sha256:${'0'.repeat(64)}"}}`,
  });
  const asked: string[] = [];
  const resolveDigest = async (reference: string): Promise<string> => {
    asked.push(reference);
    return `sha256:${'a'.repeat(64)}`;
  };
  const text = await renderConfig(optionsOf(folder), { format: 'yaml', imagesOnly: true, resolveDigest });
  assert.equal(
    text,
    [
      'services:',
      '  a:',
      `    image: docker.io/library/nginx:latest@sha256:${'a'.repeat(64)}`,
      '  b:',
      `    image: r.io/x:1@sha256:${'a'.repeat(64)}`,
      '  c:',
      `    image: docker.io/library/z@sha256:${'0'.repeat(64)}`,
      '',
    ].join('\n'),
  );
  assert.deepEqual(asked.sort(), ['docker.io/library/nginx:latest', 'r.io/x:1']);
});

test('config without interpolation prints the document as it is', async () => {
  using folder = new Folder({ 'compose.yaml': 'services: {web: {image: "a:${T}", ports: ["${P}:80"], command: []}}' });
  const load = optionsOf(folder, { interpolate: false });
  assert.equal(
    await renderConfig(load, { format: 'yaml' }),
    'name: demo\nnetworks:\n  default:\n    name: demo_default\nservices:\n  web:\n    command: []\n    image: a:${T}\n    networks:\n      default: null\n    ports:\n      - ${P}:80\n',
  );
  assert.match(await renderConfig(load, { format: 'json' }), /"command": null/);
});

test('secrets are not printed, whatever they come from', async () => {
  using folder = new Folder({
    'compose.yaml':
      'services: {web: {image: a, secrets: [s], configs: [c, d]}}\nsecrets: {s: {environment: X}}\nconfigs: {c: {environment: X}, d: {content: "shown"}}',
  });
  for (const format of ['yaml', 'json'] as const) {
    const text = await renderConfig(optionsOf(folder, { environment: { X: 'hidden' } }), { format });
    assert.ok(!text.includes('hidden') && text.includes('shown'));
  }
});

// Seen with docker compose 2.40.3 (`config --hash` and the labels `up` writes).
test("hashes are docker compose's", async () => {
  using folder = new Folder({
    'compose.yaml': 'services: {a: {image: x}, b: {image: x, deploy: {replicas: 3}, build: .}}',
  });
  assert.deepEqual(await configHashes(optionsOf(folder), []), [
    ['a', 'd5457d0b2799957b606d2ac4ed52d85a1e75799490e56229948300b9a59e8953'],
    ['b', '44afd1045bf833334d45f6fe848d207c5338c9e318b0126c9f1427c9cc291b8e'],
  ]);
  await assert.rejects(configHashes(optionsOf(folder), ['c']), { message: 'no such service: c: not found' });
});

// Labels that docker compose 2.40.3 gave a network, a volume and a container on dockerd 28.5.2.
test("hashes of networks and volumes are docker compose's, and so is that of a service whose files of variables were read", () => {
  assert.equal(
    networkHash({ name: 'nethash_default', ipam: {} }),
    'df09e3ae8e668a1fd04a42d04ac3126cf72a5b32f12aca076bfd499b2e4c601c',
  );
  assert.equal(
    networkHash({
      name: 'nethash_n2',
      ipam: { driver: 'default', config: [{ subnet: '10.97.3.0/24', gateway: '10.97.3.9' }] },
      attachable: true,
    }),
    '6a0cdc11c1b6c7972d7ddee36590e7cb26d83637cb6c50af01850e385d03d2e2',
  );
  assert.equal(volumeHash({ name: 'nethash_v1' }), 'eaa860cb6f9d0d876f8458664bcbcd7d5ea7d8ec35b21b9e42950a8062061e26');
  assert.equal(
    volumeHash({ name: 'nethash_v2', driver: 'local', labels: { x: 'y' } }),
    'dfb9cab73c501f1c390b322d2dbfa384b7ccf0a892eb5d92da805763d6b7fcfb',
  );
  assert.equal(
    serviceHash({
      command: ['true'],
      deploy: { resources: { limits: { cpus: 0.5, memory: '67108864' } }, placement: {}, replicas: 1 },
      environment: { E: '1' },
      healthcheck: { test: ['CMD-SHELL', 'true'], interval: '1m30s' },
      image: 'busybox',
      labels: { L: '2' },
      label_file: ['/tmp/nethash/l.env'],
      networks: { default: null, n1: null, n2: null },
      ulimits: { nofile: 5 },
      volumes: ['v1:/a', 'v2:/b', 'v3:/c'].map((each) => {
        const [source = '', target = ''] = each.split(':');
        return { type: 'volume', source, target, volume: {} };
      }),
    }),
    'a4836ed62b1970e3b998be4ffd13e5921ff9430b3ffe73350efb1b5f7721ee00',
  );
});

test('what does not make another container does not count in the hash', () => {
  const service = { image: 'x', networks: { default: null } };
  const same = {
    ...service,
    build: { context: '/a' },
    scale: 3,
    pull_policy: 'always',
    profiles: ['p'],
    depends_on: { b: { condition: 'service_started', required: true } },
  };
  assert.equal(serviceHash(same), serviceHash(service));
  assert.notEqual(serviceHash({ ...service, command: [] }), serviceHash(service));
  assert.equal(volumeHash({ name: 'v', driver: 'local' }), volumeHash({ name: 'v' }));
  assert.notEqual(networkHash({ name: 'n', ipam: {} }), networkHash({ name: 'n', ipam: {}, internal: true }));
});

const scalar = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom('yes', '1e3', '$x', 'a\nb ', '$$'),
);
const texts = fc.dictionary(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,8}$/), scalar, { maxKeys: 4 });
const service = fc.record(
  {
    image: fc.constantFrom('a', 'b:1'),
    environment: texts,
    labels: texts,
    command: fc.oneof(fc.constantFrom('a "b c"', ''), fc.array(fc.string({ unit: 'grapheme-ascii' }))),
    ports: fc.subarray(['80', '8080:80', '127.0.0.1:53:53/udp', '9000-9002']),
    volumes: fc.subarray(['data:/d', './x:/x:ro', '/anon', '~/h:/h']),
    mem_limit: fc.constantFrom('1g', 1024, '1.5m'),
    cpus: fc.constantFrom(0.1, '2', 1.25),
    stop_grace_period: fc.constantFrom('90s', '2d', '1ms'),
    ulimits: fc.constantFrom({ nofile: 5 }, { nofile: { soft: 1, hard: 2 } }),
    healthcheck: fc.constantFrom({ test: 'curl x', interval: '5s' }, { test: ['CMD', 'x'], retries: 0 }),
    'x-more': fc.constantFrom(1, 'a', null, 1.5, { b: [1, { c: null }], a: {} }, [[], [1.25, '$y']], 1e30),
  },
  { requiredKeys: ['image'] },
);

test('loading what config printed prints the same again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom('web', 'db', 'x1'), service, { minKeys: 1 }), async (services) => {
      const source = JSON.stringify({ services, volumes: { data: null } })
        .replaceAll('$', '$$$$')
        .replaceAll('\u007f', '');
      using folder = new Folder({ 'compose.yaml': source });
      const load = optionsOf(folder, { environment: { HOME: '/root' } });
      const once = await renderConfig(load, { format: 'yaml' });
      folder.write('compose.yaml', once);
      assert.equal(await renderConfig(load, { format: 'yaml' }), once);
    }),
    { numRuns: 60 },
  );
});
