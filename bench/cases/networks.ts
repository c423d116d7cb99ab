import { request } from 'node:http';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { run } from '../../scripts/lib/run.ts';
import { type Case, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';

const NAME = 'bench-networks';
const OTHER = 'bench-networks-other';
const SERVER = 'bench-networks-server';
const CLIENT = 'bench-networks-client';
const HOST = 'bench-networks-host';
const PORT = 18_711;
const GIB = 2 ** 30;

/** One request of the Engine API, without the docker CLI whose own start would be most of the time. */
function call(contestant: Contestant, method: string, path: string, body?: object): Promise<string> {
  const socketPath = contestant.host.slice('unix://'.length);
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    const sent = request({ socketPath, method, path: `/v1.44${path}`, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 400) resolve(text);
        else reject(new Error(`${contestant.name}: ${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const pidOf = async (contestant: Contestant, name: string): Promise<string> =>
  (await contestant.docker(['inspect', '-f', '{{.State.Pid}}', name])).trim();

/** Milliseconds for one GiB over one TCP connection, from the network of one container to an address. */
async function carry(contestant: Contestant, from: string, to: { address: string; port: number }, seconds: number) {
  const server = run(
    ['nsenter', '-t', await pidOf(contestant, SERVER), '-n', 'iperf3', '-s', '-1', '-p', String(PORT)],
    { timeoutMs: 60_000 },
  );
  const client = ['iperf3', '-J', '-t', String(seconds), '-O', '0.5', '-c', to.address, '-p', String(to.port)];
  const command = ['nsenter', '-t', await pidOf(contestant, from), '-n', ...client] as const;
  let last = '';
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { code, stdout, output } = await run(command, { timeoutMs: 60_000 });
    if (code === 0) {
      await server;
      const { end } = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
      return (GIB * 8 * 1000) / end.sum_received.bits_per_second;
    }
    // The server is not there yet.
    last = output;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${contestant.name}: iperf3 failed: ${last.slice(-500)}`);
}

const inspected = async (contestant: Contestant, kind: string, format: string, name: string): Promise<string> =>
  (await contestant.docker([kind, 'inspect', '-f', format, name])).trim();

/** Networks made and left, and what they carry. */
export const networks: Case = {
  name: 'networks',
  metrics: [
    { name: 'create', title: 'a network created and removed (API)', unit: 'ms', maxRatio: 0.33 },
    { name: 'connect', title: 'a running container connected and disconnected (API)', unit: 'ms', maxRatio: 1 },
    { name: 'direct', title: 'iperf3, container to container, per GiB', unit: 'ms', maxRatio: 1 },
    { name: 'published', title: 'iperf3, host to published port, per GiB', unit: 'ms', maxRatio: 1 },
  ],
  rounds: ({ quick }) => (quick ? 2 : 5),
  async prepare(contestant) {
    for (const name of [NAME, OTHER]) await contestant.docker(['network', 'create', name]);
    const start = (name: string, ...options: readonly string[]) =>
      contestant.docker(['run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '1000000']);
    await start(SERVER, '--network', NAME, '-p', `${PORT}:${PORT}`);
    await start(CLIENT, '--network', NAME);
    await start(HOST, '--network', 'host');
  },
  async round(contestant, { quick }) {
    const count = quick ? 5 : 20;
    const create = await timed(async () => {
      for (let at = 0; at < count; at += 1) {
        await call(contestant, 'POST', '/networks/create', { Name: `${NAME}-${at}`, Driver: 'bridge' });
        await call(contestant, 'DELETE', `/networks/${NAME}-${at}`);
      }
    });
    const connect = await timed(async () => {
      for (let at = 0; at < count; at += 1) {
        await call(contestant, 'POST', `/networks/${OTHER}/connect`, { Container: CLIENT });
        await call(contestant, 'POST', `/networks/${OTHER}/disconnect`, { Container: CLIENT });
      }
    });
    const seconds = quick ? 1 : 3;
    const format = `{{(index .NetworkSettings.Networks "${NAME}").IPAddress}}`;
    const address = await inspected(contestant, 'container', format, SERVER);
    const gateway = await inspected(contestant, 'network', '{{(index .IPAM.Config 0).Gateway}}', OTHER);
    return {
      create: create / count,
      connect: connect / count,
      direct: await carry(contestant, CLIENT, { address, port: PORT }, seconds),
      published: await carry(contestant, HOST, { address: gateway, port: PORT }, seconds),
    };
  },
  async cleanUp(contestant) {
    await contestant.docker(['rm', '-f', '-v', SERVER, CLIENT, HOST]);
    await contestant.docker(['network', 'rm', NAME, OTHER]);
  },
};
