import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkContainerNames } from './consistency.ts';
import { Folder } from './testing.ts';

/** One service's body, what is wrong with it, and the hint. */
const CASES: readonly (readonly [string, string, string])[] = [
  [
    'command: x',
    'service "web" has neither an image nor a build context specified: invalid compose project',
    'compose.yaml:4:3: add "image: name" or "build: ./directory"',
  ],
  [
    'image: a, networks: [fron]',
    'service "web" refers to undefined network fron: invalid compose project',
    'compose.yaml:4:30: did you mean "front"?',
  ],
  [
    'image: a, volumes: ["dat:/d"]',
    'service "web" refers to undefined volume dat: invalid compose project',
    'compose.yaml:4:29: did you mean "data"?',
  ],
  [
    'image: a, secrets: [nothing]',
    'service "web" refers to undefined secret nothing: invalid compose project',
    'compose.yaml:4:29: declare it at the top level: "secrets:", below it "  nothing:"',
  ],
  ['image: a, configs: [c]', 'service "web" refers to undefined config c: invalid compose project', ''],
  [
    'build: {context: ., secrets: [s]}',
    'service "web" refers to undefined build secret s: invalid compose project',
    '',
  ],
  ['image: a, models: [m]', 'service "web" refers to undefined model m: invalid compose project', ''],
  [
    'image: a, depends_on: [othr]',
    'service "web" depends on undefined service "othr": invalid compose project',
    'compose.yaml:4:32: did you mean "other"?',
  ],
  [
    'image: a, network_mode: host, networks: [front]',
    'service web declares mutually exclusive `network_mode` and `networks`: invalid compose project',
    '',
  ],
  [
    'image: a, healthcheck: {test: [curl, x]}',
    'healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"',
    'compose.yaml:4:33: write ["CMD", "curl", …], or the command as one text',
  ],
  [
    'image: a, scale: 2, deploy: {replicas: 3}',
    "services.web: can't set distinct values on 'scale' and 'deploy.replicas': invalid compose project",
    '',
  ],
  ['image: a, scale: -1', 'services.web.scale: must be greater than or equal to 0', ''],
  ['image: a, deploy: {replicas: -1}', 'services.web.deploy.replicas: must be greater than or equal to 0', ''],
  [
    'image: a, cpus: 1, deploy: {resources: {limits: {cpus: "2"}}}',
    "services.web: can't set distinct values on 'cpus' and 'deploy.resources.limits.cpus': invalid compose project",
    '',
  ],
  [
    'image: a, mem_limit: 1m, deploy: {resources: {limits: {memory: 2m}}}',
    "services.web: can't set distinct values on 'mem_limit' and 'deploy.resources.limits.memory': invalid compose project",
    '',
  ],
  [
    'image: a, pids_limit: 1, deploy: {resources: {limits: {pids: 2}}}',
    "services.web: can't set distinct values on 'pids_limit' and 'deploy.resources.limits.pids': invalid compose project",
    '',
  ],
  [
    'image: a, container_name: xx, scale: 2',
    "services.scale: can't set container_name and web as container name must be unique: invalid compose project",
    '',
  ],
  [
    'image: a, develop: {watch: [{path: ., action: sync}]}',
    'services.web.develop.watch: target is required for non-rebuild actions: invalid compose project',
    '',
  ],
  [
    'image: a, tmpfs: /x, volumes: ["data:/x"]',
    'services.web.volumes[0]: target /x already mounted as services.web.tmpfs[0]',
    'compose.yaml:4:40',
  ],
  [
    'build: {context: ., dockerfile: D, dockerfile_inline: FROM x}',
    'service "web" declares mutualy exclusive dockerfile and dockerfile_inline: invalid compose project',
    '',
  ],
  [
    'build: {context: ., platforms: [linux/arm64]}, platform: linux/amd64',
    'service.build.platforms MUST include service.platform "linux/amd64": invalid compose project',
    '',
  ],
  [
    'build: {context: ., additional_contexts: {x: "service:other"}}',
    'service "web" declares non-buildable service "other" as additional contexts x',
    '',
  ],
];

for (const [body, message, hint] of CASES)
  test(`a project is refused: ${message}`, async () => {
    using folder = new Folder({
      'compose.yaml': `networks: {front: }\nvolumes: {data: }\nservices:\n  web: {${body}}\n  other: {image: b}\n`,
    });
    const refusal = await folder.refusal();
    assert.equal(refusal.message, message);
    if (hint !== '') assert.equal(refusal.hint, hint);
  });

test('checks can be left out', async () => {
  using folder = new Folder({ 'compose.yaml': 'services: {web: {depends_on: [nope], networks: [n]}}' });
  assert.deepEqual(Object.keys((await folder.load({ checkConsistency: false })).services), ['web']);
});

test('services that wait for each other are refused with the circle', async () => {
  using folder = new Folder({
    'compose.yaml':
      'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [b]}\n',
  });
  const { message, hint } = await folder.refusal();
  assert.equal(message, 'dependency cycle detected: b -> c -> b');
  assert.match(hint, /^compose\.yaml:4:30: one of them has to start first/);
});

test('checkContainerNames() refuses one name for two', async () => {
  using folder = new Folder({
    'compose.yaml': 'services: {a: {image: x, container_name: nn}, b: {image: x, container_name: nn}}',
  });
  const project = await folder.load();
  assert.throws(() => checkContainerNames(project), {
    message: 'services.b: container name "nn" is already in use by service a',
  });
});
