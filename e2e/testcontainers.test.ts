import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();

/** testcontainers looks for its daemon when it is first used, in the environment. */
async function load(): Promise<typeof import('testcontainers')> {
  process.env['DOCKER_HOST'] = daemon().host;
  // Its reaper is an image of its own, which no registry here serves.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  return import('testcontainers');
}

test('testcontainers waits for a port, copies content in and execs', { timeout: 60_000 }, async () => {
  const { GenericContainer, Wait } = await load();
  const container = await new GenericContainer(BUSYBOX)
    .withCommand(['httpd', '-f', '-p', '8080', '-h', '/srv'])
    .withCopyContentToContainer([{ content: 'copied in', target: '/srv/hello.txt' }])
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  try {
    const page = await fetch(`http://${container.getHost()}:${container.getMappedPort(8080)}/hello.txt`);
    assert.equal(await page.text(), 'copied in');
    assert.deepEqual(await container.exec(['sh', '-c', 'echo out; exit 3']), {
      output: 'out\n',
      stdout: 'out\n',
      stderr: '',
      exitCode: 3,
    });
  } finally {
    await container.stop();
  }
});

test('testcontainers joins containers by a network and waits for their logs and health', {
  timeout: 60_000,
}, async () => {
  const { GenericContainer, Network, Wait } = await load();
  const network = await new Network().start();
  const server = await new GenericContainer(BUSYBOX)
    .withCommand(['sh', '-c', 'echo ready; sleep 1000'])
    .withNetwork(network)
    .withNetworkAliases('server')
    .withHealthCheck({ test: ['CMD-SHELL', 'true'], interval: 100, timeout: 5_000, retries: 3 })
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
  const client = await new GenericContainer(BUSYBOX)
    .withCommand(['sh', '-c', 'ping -c 1 server && echo reached; sleep 1000'])
    .withNetwork(network)
    .withWaitStrategy(Wait.forLogMessage('reached'))
    .start();
  await client.stop();
  await server.stop();
  await network.stop();
  assert.equal(await daemon().ok('ps', '-aq'), '');
});
