import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { ComposeProject } from './lib/compose-project.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually } from './lib/suite.ts';

const daemon = daemonForFile();
/** What only wharf's daemon can. */
const options = { skip: process.env['WHARF_E2E_PEER'] !== undefined };
/** Below the ephemeral ports, and another one for each process that tests. */
const PORT = 12_500 + (process.pid % 18) * 1000;

const service = (version: string, test = 'wget -qO- http://127.0.0.1/') => `services:
  web:
    image: ${BUSYBOX}
    environment: {V: "${version}"}
    command: sh -c 'mkdir /www; echo $$V > /www/index.html; exec httpd -f -p 80 -h /www'
    init: true
    ports: ["127.0.0.1:${PORT}:80"]
    healthcheck: {test: "${test}", interval: 200ms, retries: 2, start_period: 1s, start_interval: 50ms}
    deploy: {update_config: {order: start-first, failure_action: rollback}}
`;

interface Load {
  readonly answers: Map<string, number>;
  readonly failures: string[];
  /** Ends the load when the requests under way are over. */
  stop(): Promise<void>;
}

/** Four clients that fetch the page without a pause, each time by a connection of its own. */
function load(): Load {
  const answers = new Map<string, number>();
  const failures: string[] = [];
  const agent = new Agent({ keepAlive: false });
  let stopped = false;
  const fetchOne = (): Promise<void> =>
    new Promise((resolve) => {
      const failed = (error: Error): void => {
        failures.push(String(error));
        resolve();
      };
      get({ host: '127.0.0.1', port: PORT, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', failed).on('end', () => {
          answers.set(text.trim(), (answers.get(text.trim()) ?? 0) + 1);
          resolve();
        });
      }).on('error', failed);
    });
  const clients = Array.from({ length: 4 }, async () => {
    while (!stopped) await fetchOne();
  });
  return {
    answers,
    failures,
    async stop() {
      stopped = true;
      await Promise.all(clients);
    },
  };
}

test('a service that starts first is replaced under load without a failed request', options, async () => {
  await using project = new ComposeProject(daemon().host);
  project.write('compose.yaml', service('1'));
  await project.ok('up', '-d', '--wait');
  const clients = load();
  await eventually('the first answers', async () => clients.answers.has('1'));
  project.write('compose.yaml', service('2'));
  await project.ok('up', '-d');
  await eventually('the second answers', async () => clients.answers.has('2'));
  await clients.stop();
  assert.deepEqual(clients.failures, []);
  const names = await daemon().ok(
    'ps',
    '-a',
    '--filter',
    `label=com.docker.compose.project=${project.name}`,
    '--format',
    '{{.Names}}',
  );
  assert.equal(names, `${project.name}-web-1`);
  assert.match(await project.peer('up', '-d'), /web-1 {2}Running/);
});

test('a new container that is not well is taken away, and the old one serves on', options, async () => {
  await using project = new ComposeProject(daemon().host);
  project.write('compose.yaml', service('1'));
  await project.ok('up', '-d', '--wait');
  const clients = load();
  project.write('compose.yaml', service('2', 'exit 1'));
  const result = await project.wharf('up', '-d');
  await clients.stop();
  assert.equal(result.code, 1, result.output);
  assert.match(result.output, /update of service web was rolled back: its new container is unhealthy/);
  assert.deepEqual(clients.failures, []);
  assert.deepEqual([...clients.answers.keys()], ['1']);
});

test('ports go over from one container to another, and labels change, by an update', options, async () => {
  const flags = ['-d', '--stop-signal', 'KILL'];
  const port = String(PORT + 1);
  const old = await daemon().ok('run', ...flags, '-p', `127.0.0.1:${port}:80`, BUSYBOX, 'sleep', '100');
  const now = await daemon().ok('run', ...flags, BUSYBOX, 'sleep', '100');
  const body = {
    PortBindings: { '81/tcp': [{ HostIp: '127.0.0.1', HostPort: port }] },
    PortsFrom: old,
    Labels: { a: 'b' },
  };
  const curl = ['curl', '-sS', '--unix-socket', daemon().socketPath, '-H', 'content-type: application/json'] as const;
  const url = `http://wharf/v1.50/containers/${now}/update`;
  assert.equal((await run([...curl, '-d', JSON.stringify(body), url])).stdout.trim(), '{"Warnings":null}');
  assert.equal(await daemon().ok('port', now), `81/tcp -> 127.0.0.1:${port}`);
  assert.equal(await daemon().ok('port', old), '');
  assert.equal(
    await daemon().ok('inspect', '-f', '{{json .Config.Labels}}{{.HostConfig.PortBindings}}', now),
    `{"a":"b"}map[81/tcp:[{127.0.0.1 ${port}}]]`,
  );
  const self = await run([...curl, '-d', JSON.stringify({ PortsFrom: now }), url]);
  assert.match(self.stdout, /it cannot take ports over from itself/);
  await daemon().ok('rm', '-f', old, now);
});

test('after a restart of the machine a service starts when what it depends on is healthy', options, async () => {
  await using project = new ComposeProject(daemon().host);
  const service = (more: string) => `{image: ${BUSYBOX}, command: sleep 1000, init: true, restart: always, ${more}}`;
  project.write(
    'compose.yaml',
    `services:
  web: ${service('depends_on: {api: {condition: service_started}}')}
  api: ${service('depends_on: {db: {condition: service_healthy}}')}
  db:
    image: ${BUSYBOX}
    command: sh -c 'rm -f /tmp/well; sleep 0.7; touch /tmp/well; exec sleep 1000'
    init: true
    restart: always
    healthcheck: {test: test -f /tmp/well, interval: 200ms, start_period: 5s, start_interval: 50ms}
`,
  );
  await project.ok('up', '-d');
  const names = ['db', 'api', 'web'].map((name) => `${project.name}-${name}-1`);
  const pids = (await daemon().ok('inspect', '-f', '{{.State.Pid}}', ...names)).split('\n').map(Number);
  await daemon().kill();
  // As after a power cut: no process is left, their monitors' neither.
  for (const pid of pids) killWithMonitor(pid);
  await daemon().start();
  const since = `${Math.floor(Date.now() / 1000) - 60}`;
  await eventually('all run again', async () => {
    const states = await daemon().ok('inspect', '-f', '{{.State.Running}}', ...names);
    return states === 'true\ntrue\ntrue';
  });
  const events = await daemon().ok(
    ...['events', '--since', since, '--until', `${Math.floor(Date.now() / 1000) + 1}`],
    ...[
      '--filter',
      `label=com.docker.compose.project=${project.name}`,
      '--format',
      '{{.Action}} {{.Actor.Attributes.name}}',
    ],
  );
  const order = events.split('\n').filter((line) => /^start |health_status/.test(line));
  assert.deepEqual(order.slice(-4), [
    `start ${names[0]}`,
    `health_status: healthy ${names[0]}`,
    `start ${names[1]}`,
    `start ${names[2]}`,
  ]);
});

function killWithMonitor(pid: number): void {
  const [, parent = '0'] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  for (const each of [Number(parent), pid]) process.kill(each, 'SIGKILL');
}
