import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { application, applicationFile, containersOf, HEALTHY } from './lib/compose-application.ts';
import { ComposeProject } from './lib/compose-project.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();

const containers = (project: ComposeProject, format?: string): Promise<readonly string[]> =>
  containersOf(project, daemon(), format);

const inspected = (name: string, format: string): Promise<string> => daemon().ok('inspect', '-f', format, name);

test('up brings an application up in the order of its dependencies, with secrets as they are asked for', async () => {
  await using project = application(daemon().host);
  const out = await project.ok('up', '-d');
  const at = (text: string): number => out.search(new RegExp(`${project.name}-${text}`));
  assert.ok(at('db-1 +Healthy') < at('migrate-1 +Starting'), out);
  assert.ok(at('migrate-1 +Exited') < at('web-1 +Starting'), out);
  const web = `${project.name}-web-2`;
  assert.equal(await daemon().ok('exec', web, 'cat', '/etc/greeting', '/run/secrets/file'), 'hello\nsecret');
  assert.match(await daemon().ok('exec', web, 'ls', '-ln', '/run/secrets/token'), /^-r--------\s+1 1000\s+0\s/);
  assert.equal(
    await inspected(web, '{{.HostConfig.Memory}} {{.HostConfig.NetworkMode}}'),
    `67108864 ${project.name}_back`,
  );
});

test('what changed is made anew, with its anonymous volumes and those that want to be restarted', async () => {
  await using project = application(daemon().host);
  await project.ok('up', '-d');
  const db = `${project.name}-db-1`;
  await daemon().ok('exec', db, 'sh', '-c', 'echo kept > /anonymous/file; echo kept > /data/file');
  const before = await containers(project, '{{.Names}} {{.ID}}');
  project.write('compose.yaml', applicationFile('2'));
  assert.match(await project.ok('plan'), /its configuration changed/);
  const out = await project.ok('up', '-d');
  assert.match(out, /web-1 +Stopping.*db-1 +Recreated.*web-1 +Started/s);
  assert.equal(await daemon().ok('exec', db, 'cat', '/anonymous/file', '/data/file'), 'kept\nkept');
  const changed = (await containers(project, '{{.Names}} {{.ID}}')).filter((one) => !before.includes(one));
  assert.deepEqual(
    changed.map((one) => one.split(' ')[0]),
    [db, `${project.name}-side-1`],
  );
});

test('kill -9 of up at any moment leaves what the next up completes', async () => {
  await using project = application(daemon().host);
  await project.ok('up', '-d');
  const names = await containers(project, '{{.Names}}');
  for (const [round, wanted] of ['_', '-web-1 exited', '-db-1 running'].entries()) {
    project.write('compose.yaml', applicationFile(`${round + 2}`));
    const client = project.begin('up', '-d');
    const over = once(client, 'exit');
    const isOver = () => client.exitCode !== null;
    while (!isOver() && !(await containers(project, '{{.Names}} {{.State}}')).some((one) => one.includes(wanted)));
    client.kill('SIGKILL');
    await over;
    await project.ok('up', '-d', '--wait');
    assert.deepEqual(await containers(project, '{{.Names}}'), names, wanted);
    assert.doesNotMatch(await project.ok('plan'), /create|remove|rename|stop/);
  }
});

test('what cannot start is told with the reason, and nothing waits for it in vain', async () => {
  await using project = new ComposeProject(daemon().host);
  project.write(
    'compose.yaml',
    `services:
  sick:
    image: ${BUSYBOX}
    command: sleep 1000
    stop_signal: SIGKILL
    healthcheck: {test: "false", interval: 100ms, retries: 1}
  job: {image: ${BUSYBOX}, command: [sh, -c, exit 3]}
  web: {image: ${BUSYBOX}, command: sleep 1000, depends_on: {sick: {condition: service_healthy}}}
  late: {image: ${BUSYBOX}, command: sleep 1000, depends_on: {job: {condition: service_completed_successfully}}}
  fine: {image: ${BUSYBOX}, command: sleep 1000, init: true, depends_on: {sick: {condition: service_healthy, required: false}}}
`,
  );
  const web = await project.wharf('up', '-d', 'web');
  assert.equal(web.code, 1, web.output);
  assert.match(web.output, new RegExp(`dependency failed to start: container ${project.name}-sick-1 is unhealthy`));
  assert.equal(await inspected(`${project.name}-web-1`, '{{.State.Status}}'), 'created');
  const late = await project.wharf('up', '-d', 'late');
  assert.match(late.output, /service "job" didn't complete successfully: exit 3/);
  assert.match(await project.ok('up', '-d', 'fine', 'sick'), /optional dependency "sick" failed to start/);
  assert.equal(await inspected(`${project.name}-fine-1`, '{{.State.Status}}'), 'running');
});

test('hooks run inside containers after their start and before their stop', async () => {
  await using project = new ComposeProject(daemon().host);
  const service = (hook: string) => `services:
  web:
    image: ${BUSYBOX}
    command: sleep 1000
    stop_signal: SIGKILL
    volumes: ["data:/data"]
    post_start: [{command: [sh, -c, "${hook}"], environment: {WHO: post}}]
    pre_stop: [{command: [sh, -c, "echo pre >> /data/log"]}]
volumes: {data: {}}
`;
  project.write('compose.yaml', service('echo $$WHO >> /data/log'));
  await project.ok('up', '-d');
  await project.ok('restart');
  const web = `${project.name}-web-1`;
  assert.equal(await daemon().ok('exec', web, 'cat', '/data/log'), 'post\npre\npost');
  project.write('compose.yaml', service('exit 7'));
  const failed = await project.wharf('up', '-d');
  assert.match(failed.output, /web hook exited with status 7/);
});

test('pre_start runs before the first start only, in the networks and volumes of the service', async () => {
  await using project = new ComposeProject(daemon().host);
  const file = (steps: string) => `services:
  web:${HEALTHY}
    depends_on: {db: {condition: service_healthy}}
    volumes: ["data:/data"]
    pre_start: [${steps}]
  db:${HEALTHY}
volumes: {data: {}}
`;
  const first = '{command: [sh, -c, "echo $$STEP >> /data/log; nslookup db 127.0.0.11"], environment: {STEP: one}}';
  project.write('compose.yaml', file(`${first}, {image: ${BUSYBOX}, command: [sh, -c, "echo two >> /data/log"]}`));
  await project.ok('up', '-d');
  await project.ok('stop', 'web');
  await project.ok('up', '-d');
  assert.equal(await daemon().ok('exec', `${project.name}-web-1`, 'cat', '/data/log'), 'one\ntwo');
  const names = await containers(project, '{{.Names}}');
  assert.deepEqual(names, [`${project.name}-db-1`, `${project.name}-web-1`]);
  project.write('compose.yaml', file('{command: [sh, -c, exit 4]}'));
  const failed = await project.wharf('up', '-d');
  assert.match(failed.output, /service "web" cannot start: step 1 of pre_start ended with exit code 4/);
  assert.equal(await inspected(`${project.name}-web-1`, '{{.State.Status}}'), 'created');
});
