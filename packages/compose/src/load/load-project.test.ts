import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Folder, serviceOf } from './testing.ts';

const ONE = 'services: {web: {image: a}}';

test('loadProject() settles names, networks and paths', async () => {
  using folder = new Folder({
    'compose.yaml': `
services:
  web:
    build: {args: [A, B, C=3]}
    pull_policy: if_not_present
    volumes: ["data:/d//x/", "~/h:/h"]
    configs: [c]
    links: ["db:database"]
    environment: [A, B]
  db: {image: pg, network_mode: "service:web2"}
  web2: {image: x, volumes_from: [files:ro]}
  files: {image: y}
volumes: {data: , unused: }
configs: {c: {content: x}}
`,
  });
  const project = await folder.load({ environment: { A: 'a', HOME: '/home/me' } });
  assert.deepEqual(serviceOf(project, 'web'), {
    build: { context: 'DIR', dockerfile: 'Dockerfile', args: { A: 'a', C: '3' } },
    configs: [{ source: 'c' }],
    depends_on: { db: { condition: 'service_started', restart: true, required: true } },
    environment: { A: 'a', B: null },
    links: ['db:database'],
    networks: { default: null },
    pull_policy: 'missing',
    volumes: [
      { type: 'volume', source: 'data', target: '/d/x', volume: {} },
      { type: 'bind', source: '/home/me/h', target: '/h', bind: { create_host_path: true } },
    ],
  });
  assert.deepEqual(Object.keys(serviceOf(project, 'db').depends_on ?? {}), ['web2']);
  assert.deepEqual(serviceOf(project, 'web2').depends_on, {
    files: { condition: 'service_started', required: true },
  });
  assert.deepEqual(project.networks, { default: { name: 'demo_default', ipam: {} } });
  assert.deepEqual(Object.keys(project.volumes), ['data']);
  assert.equal(project.configs['c']?.name, 'demo_c');
});

test('loadProject() finds files in the directory or above it, and the override', async () => {
  using folder = new Folder({
    'docker-compose.yml': ONE,
    'docker-compose.override.yaml': 'services: {web: {command: x}}',
  });
  folder.write('a/b/file', '');
  const project = await folder.load({ cwd: `${folder.path}/a/b` });
  assert.deepEqual(project.composeFiles, ['DIR/docker-compose.yml', 'DIR/docker-compose.override.yaml']);
  assert.deepEqual([project.workingDir, project.name, serviceOf(project, 'web').command], ['DIR', 'demo', ['x']]);
});

test('loadProject() warns of several default files and takes the first', async () => {
  using folder = new Folder({ 'compose.yaml': ONE, 'docker-compose.yml': 'services: {}' });
  const warnings: string[] = [];
  await folder.load({ warn: (message) => warnings.push(message.replaceAll(folder.path, 'DIR')) });
  assert.deepEqual(warnings, [
    'Found multiple config files with supported names: DIR/compose.yaml, DIR/docker-compose.yml',
    'Using DIR/compose.yaml',
  ]);
});

test('loadProject() takes files from COMPOSE_FILE and from standard input', async () => {
  using folder = new Folder({ 'a.yaml': ONE, 'b.yaml': 'services: {db: {image: b}}' });
  const project = await folder.load({ environment: { COMPOSE_FILE: 'a.yaml:b.yaml' } });
  assert.deepEqual(Object.keys(project.services), ['web', 'db']);
  const piped = await folder.load({ files: ['-'], readStdin: async () => ONE });
  assert.deepEqual([piped.composeFiles, piped.workingDir], [['-'], 'DIR']);
});

const NAMES: readonly (readonly [string, string, object, string])[] = [
  ['of the directory', ONE, {}, 'demo'],
  ['of the file', `name: Ab-${'${X}'}!\n${ONE}`, { environment: { X: 'c' } }, 'ab-c'],
  ['of the variable', `name: file\n${ONE}`, { environment: { COMPOSE_PROJECT_NAME: 'var' } }, 'var'],
  ['of the flag', ONE, { projectName: 'flag', environment: { COMPOSE_PROJECT_NAME: 'var' } }, 'flag'],
  ['of another directory', ONE, { files: ['compose.yaml'], projectDirectory: '/srv/_My.App' }, 'myapp'],
];

for (const [what, source, options, name] of NAMES)
  test(`a project has the name ${what}`, async () => {
    using folder = new Folder({ 'compose.yaml': source });
    const project = await folder.load(options);
    assert.deepEqual([project.name, project.environment['COMPOSE_PROJECT_NAME']], [name, name]);
  });

test('a name of which nothing is left is refused', async () => {
  using folder = new Folder({ 'compose.yaml': `name: "!"\n${ONE}` });
  assert.equal((await folder.refusal()).message, 'project name must not be empty');
  assert.match(
    (await folder.refusal({ projectName: 'Ab' })).message,
    /^invalid project name "Ab": must consist only of/,
  );
});

test('variables come from the process, then --env-file, then .env', async () => {
  using folder = new Folder({
    'compose.yaml': 'services: {web: {image: "${A}-${B}-${C}"}}',
    '.env': 'A=dot\nB=dot\nC=dot\n',
    'x.env': 'A=x\nB=x\nC=${A}${B}\n',
    'y.env': 'B=y\n',
  });
  const image = async (options: object): Promise<unknown> => serviceOf(await folder.load(options), 'web').image;
  assert.equal(await image({}), 'dot-dot-dot');
  assert.equal(await image({ environment: { A: 'env' } }), 'env-dot-dot');
  assert.equal(await image({ envFiles: ['x.env', 'y.env'], environment: { A: 'env' } }), 'env-y-envx');
  assert.equal(await image({ environment: { COMPOSE_ENV_FILES: 'x.env' } }), 'x-x-xx');
  assert.equal(await image({ environment: { COMPOSE_DISABLE_ENV_FILE: '1' } }), '--');
  assert.match((await folder.refusal({ envFiles: ['no.env'] })).message, /^couldn't find env file: DIR\/no\.env$/);
});

test('env_file gives variables that environment wins over, and is forgotten', async () => {
  using folder = new Folder({
    'compose.yaml': `
services:
  web:
    image: a
    env_file: [a.env, {path: b.env, format: raw}, {path: none.env, required: false}]
    environment: {A: own, D: , E: e}
`,
    'a.env': 'A=a\nB="b $E"\nC=a\nD=a\n',
    'b.env': 'C="raw $E"\n',
  });
  const web = serviceOf(await folder.load(), 'web');
  assert.deepEqual(web.environment, { A: 'own', B: 'b e', C: '"raw $E"', D: null, E: 'e' });
  assert.equal(web.env_file, undefined);
  folder.write('compose.yaml', 'services: {web: {image: a, env_file: none.env}, db: {image: b}}');
  assert.equal(
    (await folder.refusal()).message,
    'env file DIR/none.env not found: stat DIR/none.env: no such file or directory',
  );
  assert.deepEqual(Object.keys((await folder.load({ services: ['db'] })).services), ['db']);
});

test('secrets and configs take values from variables', async () => {
  using folder = new Folder({
    'compose.yaml':
      'services: {web: {image: a, secrets: [s, {source: f, target: /x, mode: 0440}], configs: [c]}}\nsecrets: {s: {environment: TOKEN}, f: {file: ./f}}\nconfigs: {c: {environment: TEXT}}',
  });
  const project = await folder.load({ environment: { TOKEN: 't', TEXT: 'x' } });
  assert.deepEqual(serviceOf(project, 'web').secrets, [
    { source: 's', target: '/run/secrets/s' },
    { source: 'f', target: '/x', mode: '0440' },
  ]);
  assert.deepEqual(project.secrets, {
    s: { name: 'demo_s', environment: 'TOKEN', content: 't' },
    f: { name: 'demo_f', file: 'DIR/f' },
  });
  assert.equal(project.configs['c']?.content, 'x');
});

const PROFILES = `
services:
  web: {image: a, depends_on: [db]}
  db: {image: b, profiles: [storage]}
  admin: {image: c, profiles: [tools], depends_on: {db: {condition: service_started}, extra: {condition: service_started, required: false}}}
  extra: {image: d, profiles: [extra]}
`;

const SELECTIONS: readonly (readonly [string, object, readonly string[]])[] = [
  ['what is required comes along', {}, ['db', 'web']],
  ['a profile', { profiles: ['tools'] }, ['admin', 'db', 'web']],
  ['COMPOSE_PROFILES', { environment: { COMPOSE_PROFILES: 'extra, tools' } }, ['admin', 'db', 'extra', 'web']],
  ['all profiles', { profiles: ['*'] }, ['admin', 'db', 'extra', 'web']],
  ['a service by name, with its profile', { services: ['admin'] }, ['admin', 'db']],
  ['a service alone', { services: ['web'], select: 'none' }, ['web']],
  ['dependents', { services: ['db'], select: 'dependents' }, ['db', 'web']],
  ['a pattern', { services: ['w*'] }, ['db', 'web']],
];

for (const [what, options, names] of SELECTIONS)
  test(`services that are on: ${what}`, async () => {
    using folder = new Folder({ 'compose.yaml': PROFILES });
    assert.deepEqual(Object.keys((await folder.load(options)).services).sort(), names);
  });

test('a service that is not there cannot be asked for', async () => {
  using folder = new Folder({ 'compose.yaml': ONE });
  assert.equal((await folder.refusal({ services: ['nope'] })).message, 'no such service: nope');
});

test('a project without files says so', async () => {
  using folder = new Folder({});
  assert.equal((await folder.refusal({ cwd: '/proc/self' })).message, 'no configuration file provided: not found');
  assert.equal((await folder.refusal({ files: ['x.yaml'] })).message, 'open DIR/x.yaml: no such file or directory');
});

test('attributes of the specification that compose 2.40 does not know are read', async () => {
  using folder = new Folder({
    'compose.yaml':
      'services: {web: {image: a, build: {no_cache_filter: x}, pre_start: [{command: a b, image: i, per_replica: "true"}]}}',
  });
  const web = serviceOf(await folder.load(), 'web');
  assert.deepEqual(web.pre_start, [{ command: ['a', 'b'], image: 'i', per_replica: true }]);
  assert.deepEqual(web.build?.no_cache_filter, ['x']);
});
