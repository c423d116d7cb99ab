import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { staticBusybox, tarOf } from './lib/busybox-image.ts';
import { until } from './lib/delay.ts';
import { daemonPid, request, requestJson, startDaemon } from './lib/local-daemon.ts';
import { DEMO_IMAGE, DEMO_NAME, QUICKSTART } from './lib/quickstart-settings.ts';
import { ROOT } from './lib/root.ts';
import { setUp } from './setup.ts';

const PREFERRED_PORT = 8080;

/** The Dockerfile of the demo, and what it copies. */
const EXAMPLE = join(ROOT, 'examples/hello');

interface Inspected {
  readonly Id: string;
  readonly Image: string;
  readonly State: { readonly Running: boolean };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}

/** `npm start`: everything from a bare machine to a web page out of a container. Each step does nothing when it is done already. */
async function quickstart(): Promise<void> {
  const start = performance.now();
  if (process.getuid?.() !== 0)
    throw new Error('root is needed: namespaces, mounts and the packet filter belong to it');
  await setUp();
  const started = await startDaemon();
  const pid = daemonPid() ?? 'of someone else';
  const address = `unix://${QUICKSTART.socketPath}`;
  say(started ? `started the daemon (process ${pid}) on ${address}` : `the daemon runs already (process ${pid})`);
  const port = await runDemo(await buildImage());
  const page = await fetchPage(port);
  say(`fetched http://127.0.0.1:${port}/ from it: ${/<h1>(.*)<\/h1>/.exec(page)?.[1] ?? page.slice(0, 60)}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`
Done in ${seconds} s. Go on with an application of two services:

  bin/wharf compose -f examples/hello/compose.yaml up -d --wait
  curl localhost:8090

or with the ordinary docker client:

  export DOCKER_HOST=unix://${QUICKSTART.socketPath}
  docker run --rm ${DEMO_IMAGE} echo hello

The page: http://127.0.0.1:${port}/     The daemon's log: ${QUICKSTART.logPath}
Stop it:  npm stop                   (npm stop -- --all also removes every container, image and volume)
`);
}

/** Builds the demo's image; what has not changed comes from the cache. Returns its id. */
async function buildImage(): Promise<string> {
  const start = performance.now();
  const own = readdirSync(EXAMPLE).map((path) => ({ path, content: readFileSync(join(EXAMPLE, path)) }));
  const content = tarOf([...own, { path: 'busybox', content: readFileSync(staticBusybox()) }]);
  const query = new URLSearchParams({ t: DEMO_IMAGE, q: '1' });
  const { status, text } = await request('POST', `/build?${query}`, { type: 'application/x-tar', content });
  const id = /sha256:[0-9a-f]{64}/.exec(text)?.[0];
  if (status !== 200 || id === undefined || /"errorDetail"/.test(text)) {
    throw new Error(`the image could not be built: ${text.trim()}`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  say(`built the image ${DEMO_IMAGE} from examples/hello/Dockerfile and this machine's busybox in ${seconds} s`);
  return id;
}

/** Makes sure that the demo runs, of this image; returns the port it is published on. */
async function runDemo(image: string): Promise<string> {
  const path = `/containers/${DEMO_NAME}`;
  const known = await request('GET', `${path}/json`);
  if (known.status === 200) {
    const inspected = JSON.parse(known.text) as Inspected;
    if (inspected.State.Running && inspected.Image === image) {
      say(`the container ${DEMO_NAME} runs already`);
      return publishedPort(inspected);
    }
    await request('DELETE', `${path}?force=1&v=1`);
  }
  const hostPort = await freePort();
  await requestJson('POST', `/containers/create?name=${DEMO_NAME}`, {
    Image: DEMO_IMAGE,
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: String(hostPort) }] } },
  });
  await requestJson('POST', `${path}/start`);
  say(`started the container ${DEMO_NAME}: busybox httpd, published with -p ${hostPort}:80`);
  return publishedPort(await requestJson<Inspected>('GET', `${path}/json`));
}

function publishedPort(inspected: Inspected): string {
  const port = inspected.NetworkSettings.Ports['80/tcp']?.[0]?.HostPort;
  if (port === undefined) throw new Error(`the container ${DEMO_NAME} has no published port`);
  return port;
}

/** 8080 when nobody has it, else one that the kernel picks. */
async function freePort(): Promise<number> {
  return (await tryPort(PREFERRED_PORT)) ?? (await tryPort(0)) ?? PREFERRED_PORT;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '0.0.0.0', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

async function fetchPage(port: string): Promise<string> {
  return until('the page', async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      return response.ok ? await response.text() : undefined;
    } catch {
      return undefined;
    }
  });
}

function say(what: string): void {
  console.log(`wharf: ${what}`);
}

try {
  await quickstart();
} catch (error) {
  console.error(
    `npm start: ${error instanceof Error ? error.message : String(error)}\n\`bin/wharf doctor\` looks for what is wrong with this machine.`,
  );
  process.exitCode = 1;
}
