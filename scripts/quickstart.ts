import { createServer } from 'node:net';
import { busyboxFiles, dockerArchive } from './lib/busybox-image.ts';
import { until } from './lib/delay.ts';
import { daemonPid, request, requestJson, startDaemon } from './lib/local-daemon.ts';
import { DEMO_IMAGE, DEMO_NAME, QUICKSTART } from './lib/quickstart-settings.ts';
import { setUp } from './setup.ts';

const PREFERRED_PORT = 8080;

const PAGE = `<!doctype html>
<title>wharf</title>
<h1>It works</h1>
<p>This page comes from busybox httpd in a container that wharf runs.</p>
`;

interface Inspected {
  readonly Id: string;
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
  await makeImage();
  const port = await runDemo();
  const page = await fetchPage(port);
  say(`fetched http://127.0.0.1:${port}/ from it: ${/<h1>(.*)<\/h1>/.exec(page)?.[1] ?? page.slice(0, 60)}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`
Done in ${seconds} s. Use it with the ordinary docker client:

  export DOCKER_HOST=unix://${QUICKSTART.socketPath}
  docker ps
  docker run --rm ${DEMO_IMAGE} echo hello

The page: http://127.0.0.1:${port}/     The daemon's log: ${QUICKSTART.logPath}
Stop it:  npm stop                   (npm stop -- --all also removes every container, image and volume)
`);
}

async function makeImage(): Promise<void> {
  const known = await request('GET', `/images/${DEMO_IMAGE}/json`);
  if (known.status === 200) {
    say(`the image ${DEMO_IMAGE} is there`);
    return;
  }
  const content = dockerArchive({
    reference: DEMO_IMAGE,
    layers: [await busyboxFiles(), [{ path: 'var/www/index.html', content: PAGE }]],
    config: { Cmd: ['httpd', '-f', '-p', '80', '-h', '/var/www'], ExposedPorts: { '80/tcp': {} } },
  });
  const { status, text } = await request('POST', '/images/load?quiet=1', { type: 'application/x-tar', content });
  if (status !== 200 || /"error"/.test(text)) throw new Error(`the image could not be loaded: ${text.trim()}`);
  say(`made the image ${DEMO_IMAGE} from this machine's busybox`);
}

/** Makes sure that the demo runs; returns the port it is published on. */
async function runDemo(): Promise<string> {
  const path = `/containers/${DEMO_NAME}`;
  const known = await request('GET', `${path}/json`);
  if (known.status === 200) {
    const inspected = JSON.parse(known.text) as Inspected;
    if (inspected.State.Running) {
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
