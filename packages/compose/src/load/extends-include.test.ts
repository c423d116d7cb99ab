import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Folder, serviceOf } from './testing.ts';

test('extends takes another service and lays this one over it', async () => {
  using folder = new Folder({
    'compose.yaml': `
services:
  base: {image: a, environment: {A: 1, B: 1}, ports: ["80:80"]}
  middle: {extends: base, environment: {B: 2}}
  web: {extends: {service: middle}, command: x, ports: !reset []}
`,
  });
  const web = serviceOf(await folder.load(), 'web');
  assert.deepEqual(
    [web.image, web.environment, web.command, web.ports, web.extends],
    ['a', { A: '1', B: '2' }, ['x'], undefined, undefined],
  );
});

test('paths of an extended file are relative to that file', async () => {
  using folder = new Folder({
    'compose.yaml': 'services: {web: {extends: {file: shared/base.yaml, service: base}}}',
    'shared/base.yaml':
      'services:\n  base: {extends: {file: ../other/root.yaml, service: root}, build: ., volumes: ["./data:/data"], env_file: a.env}\n',
    'shared/a.env': 'A=1\n',
    'other/root.yaml': 'services: {root: {volumes: ["./deep:/deep"], label_file: l.env}}',
    'other/l.env': 'l=1\n',
  });
  const web = serviceOf(await folder.load(), 'web');
  assert.equal(web.build?.context, 'DIR/shared');
  assert.deepEqual(
    web.volumes?.map(({ source }) => source),
    ['DIR/other/deep', 'DIR/shared/data'],
  );
  assert.deepEqual([web.environment, web.labels], [{ A: '1' }, { l: '1' }]);
});

test('services that extend each other are refused with the circle', async () => {
  using folder = new Folder({
    'compose.yaml': 'services:\n  a:\n    extends: b\n  b:\n    extends: a\n',
  });
  const { message, hint } = await folder.refusal();
  assert.equal(
    message,
    'Circular reference:\n  a in DIR/compose.yaml\n  extends b in DIR/compose.yaml\n  extends a in DIR/compose.yaml',
  );
  assert.match(hint, /^compose\.yaml:3:5/);
});

const MISSING: readonly (readonly [string, string, string])[] = [
  [
    'services: {web: {extends: bas}, base: {image: a}}',
    'cannot extend service "web" in DIR/compose.yaml: service "bas" not found',
    'compose.yaml:1:18: did you mean "base"?',
  ],
  [
    'services: {web: {extends: {file: b.yaml, service: x}}}',
    'cannot extend service "web" in b.yaml: service "x" not found in b.yaml',
    'compose.yaml:1:18',
  ],
  ['services: {web: {extends: {file: no.yaml, service: x}}}', 'open DIR/no.yaml: no such file or directory', ''],
  [
    'services: {web: {extends: {file: b.yaml}}}',
    'extends.web.service is required',
    'compose.yaml:1:18: write "service: name" below extends',
  ],
];

for (const [source, message, hint] of MISSING)
  test(`extends of what is not there: ${message}`, async () => {
    using folder = new Folder({ 'compose.yaml': source, 'b.yaml': 'services: {y: {image: a}}' });
    assert.deepEqual(await folder.refusal(), { message, hint });
  });

test('include takes the resources of other files, with their own directory and .env', async () => {
  using folder = new Folder({
    'compose.yaml': 'include: [db/compose.yaml]\nservices: {web: {image: w, depends_on: [db]}}',
    'db/compose.yaml':
      'services: {db: {image: "pg:${VERSION}", build: ./image, volumes: ["data:/d", "./init:/i"], env_file: db.env}}\nvolumes: {data: }',
    'db/.env': 'VERSION=16\n',
    'db/db.env': 'P=${VERSION}\n',
  });
  const project = await folder.load();
  const db = serviceOf(project, 'db');
  assert.deepEqual([db.image, db.build?.context, db.volumes?.[1]?.source], ['pg:16', 'DIR/db/image', 'DIR/db/init']);
  assert.equal(project.volumes['data']?.name, 'demo_data');
});

test('include in long form: several files, another directory, other variables', async () => {
  using folder = new Folder({
    'compose.yaml':
      'include: [{path: [db/compose.yaml, db/more.yaml], project_directory: elsewhere, env_file: vars.env}]',
    'db/compose.yaml': 'services: {db: {image: "pg:${VERSION}", build: .}}',
    'elsewhere/file': '',
    'db/more.yaml': 'services: {db: {command: x}}',
    'vars.env': 'VERSION=15\n',
  });
  const db = serviceOf(await folder.load(), 'db');
  assert.deepEqual([db.image, db.build?.context, db.command], ['pg:15', 'DIR/elsewhere', ['x']]);
});

test('variables of the including project win over those of an included .env', async () => {
  using folder = new Folder({
    'compose.yaml': 'include: [db/compose.yaml]',
    'db/compose.yaml': 'services: {db: {image: "pg:${VERSION}"}}',
    'db/.env': 'VERSION=16\n',
    '.env': 'VERSION=14\n',
  });
  assert.equal(serviceOf(await folder.load(), 'db').image, 'pg:14');
});

test('what an included file has, and the including one has otherwise, is a conflict', async () => {
  using folder = new Folder({
    'compose.yaml': 'include: [o.yaml]\nservices:\n  web:\n    image: a\n',
    'o.yaml': 'services: {web: {image: b}}',
  });
  const { message, hint } = await folder.refusal();
  assert.equal(message, 'services.web conflicts with imported resource');
  assert.match(hint, /:\d+:\d+: an included file has it already/);
});

test('the same in both is no conflict', async () => {
  using folder = new Folder({
    'compose.yaml': 'include: [o.yaml]\nservices: {web: {image: a}}\nvolumes: {v: {labels: {a: b}}}',
    'o.yaml': 'volumes: {v: {labels: {a: b}}}',
  });
  assert.deepEqual(Object.keys((await folder.load({ allResources: true })).volumes), ['v']);
});

test('files that include each other are refused with the circle', async () => {
  using folder = new Folder({ 'compose.yaml': 'include: [o.yaml]', 'o.yaml': 'include: [compose.yaml]' });
  const { message } = await folder.refusal();
  assert.equal(message, 'include cycle detected:\nDIR/compose.yaml\n include DIR/o.yaml\n include DIR/compose.yaml');
});

test('what is not on this machine is refused, unless there is a way to fetch it', async () => {
  using folder = new Folder({
    'compose.yaml': 'include: ["oci://registry/app"]',
    'fetched/compose.yaml': 'services: {app: {image: x, build: .}}',
  });
  assert.match((await folder.refusal()).message, /^Cannot load "oci:\/\/registry\/app"/);
  const fetchRemote = async (): Promise<string> => `${folder.path}/fetched/compose.yaml`;
  const app = serviceOf(await folder.load({ fetchRemote }), 'app');
  assert.equal(app.build?.context, 'DIR/fetched');
  const project = await folder.load({ files: ['oci://registry/app'], fetchRemote });
  assert.deepEqual([project.workingDir, project.name], ['DIR/fetched', 'demo']);
});

test('a mistake is told where it is, in whichever file', async () => {
  using folder = new Folder({
    'compose.yaml': 'include: [o.yaml]\nservices: {web: {image: a}, db: {command: x}}',
    'o.yaml': 'services:\n  db:\n    image: b\n    ports: ["80:x"]\n',
    'more.yaml': '# laid over it\nservices: {web: {imag: b}}\n',
  });
  assert.match((await folder.refusal()).hint, /^o\.yaml:4:13: /);
  folder.write('o.yaml', 'services: {}');
  const { message, hint } = await folder.refusal({ files: ['compose.yaml', 'more.yaml'] });
  assert.match(message, /^validating DIR\/more\.yaml: services\.web additional properties 'imag' not allowed/);
  assert.equal(hint, 'more.yaml:2:18: did you mean "image"?');
});
