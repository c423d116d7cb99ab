import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEnvironment, dockerCli } from '../../e2e/lib/docker.ts';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { composePlugin } from '../../e2e/lib/plugins.ts';
import { WHARF } from '../../e2e/lib/wharf-user.ts';
import { must } from '../../scripts/lib/run.ts';
import { type Case, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';
import { scratch } from '../lib/scratch.ts';

const TIERS = 4;
const PER_TIER = 5;
const LARGE = 200;
const LISTINGS = 15;

type Command = readonly [string, ...string[]];

/** Services in tiers, each of which waits for two of the tier before to be healthy; on two networks, with a volume each. */
function applicationFile(): string {
  const services = Array.from({ length: TIERS * PER_TIER }, (_, index) => {
    const tier = Math.floor(index / PER_TIER);
    const needs = [index - PER_TIER, tier * PER_TIER - 1].filter((one) => tier > 0 && one >= 0);
    const dependsOn = [...new Set(needs)].map((one) => `      s${one}: { condition: service_healthy }\n`).join('');
    return `  s${index}:
    image: ${BUSYBOX}
    command: sleep 1000000
    init: true
    environment: { TIER: "${tier}" }
    networks: [${tier % 2 === 0 ? 'front, back' : 'back'}]
    volumes: ["v${index}:/data"]
    healthcheck: { test: ["CMD", "true"], interval: 10s, start_period: 10s, start_interval: 200ms }
${dependsOn === '' ? '' : `    depends_on:\n${dependsOn}`}`;
  });
  const volumes = services.map((_, index) => `  v${index}: {}\n`).join('');
  return `name: bench\nservices:\n${services.join('')}networks:\n  front: {}\n  back: {}\nvolumes:\n${volumes}`;
}

/** A long file with a little of everything that has to be read, merged and checked. */
function largeFile(): string {
  const services = Array.from(
    { length: LARGE },
    (_, index) => `  service${index}:
    <<: *common
    image: registry.example/team/service${index}:\${TAG:-latest}
    hostname: service${index}
    environment:
      NUMBER: "${index}"
      ADDRESS: http://service${index}.\${DOMAIN:-example.org}:\${PORT:-8080}/
    ports: ["${10_000 + index}:80", "127.0.0.1:${20_000 + index}:443/tcp"]
    volumes: ["data:/data", "./config/${index}:/etc/service:ro", { type: tmpfs, target: /scratch }]
    networks: { front: { aliases: [alias${index}] }, back: {} }
    secrets: [key]
${index === 0 ? '' : `    depends_on:\n      service${Math.floor(index / 2)}: { condition: service_healthy }\n`}`,
  );
  return `name: large
x-common: &common
  restart: unless-stopped
  stop_grace_period: 1m30s
  logging: { driver: json-file, options: { max-size: 10m } }
  healthcheck: { test: ["CMD", "true"], interval: 10s, timeout: 2s, retries: 3 }
  deploy: { replicas: 2, resources: { limits: { cpus: "0.5", memory: 256M } } }
  ulimits: { nofile: { soft: 1024, hard: 2048 } }
services:
${services.join('')}networks: { front: {}, back: { internal: true } }
volumes: { data: {} }
secrets: { key: { file: ./key } }
`;
}

let folder: string | undefined;

/** The folder of a file, which is compose.yaml of one of the two. */
function project(name: 'application' | 'large'): string {
  if (folder === undefined) {
    folder = join(scratch(), 'compose');
    for (const [one, text] of [
      ['application', applicationFile()],
      ['large', largeFile()],
    ] as const) {
      mkdirSync(join(folder, one), { recursive: true });
      writeFileSync(join(folder, one, 'compose.yaml'), text);
    }
  }
  return join(folder, name);
}

const OURS: Command = [WHARF, 'compose'];

/** Each daemon's own client: `wharf compose` and docker compose. */
async function ownClient({ name }: Contestant): Promise<Command> {
  return name === 'wharf' ? OURS : [await composePlugin()];
}

function compose(
  { host }: Contestant,
  client: Command,
  which: Parameters<typeof project>[0],
  args: readonly string[],
): Promise<number> {
  const options = { cwd: project(which), env: clientEnvironment(host), timeoutMs: 120_000 };
  return timed(() => must([...client, ...args], options));
}

/** An application of twenty services, brought up, looked at again, and taken down; each daemon by its own client. */
export const composeProject: Case = {
  name: 'compose',
  metrics: [
    { name: 'up', title: '`compose up -d` of 20 services in 4 tiers, by its own client', unit: 'ms', maxRatio: 0.5 },
    { name: 'again', title: '`compose up -d` with nothing to do', unit: 'ms', maxRatio: 0.5 },
    { name: 'down', title: '`compose down -v`', unit: 'ms', maxRatio: 0.5 },
  ],
  rounds: ({ quick }) => (quick ? 2 : 5),
  async round(contestant) {
    const client = await ownClient(contestant);
    const run = (...args: readonly string[]) => compose(contestant, client, 'application', args);
    const up = await run('up', '-d');
    const again = [await run('up', '-d'), await run('up', '-d'), await run('up', '-d')];
    const down = await run('down', '-v');
    return { up, again: again.toSorted((a, b) => a - b)[1] ?? 0, down };
  },
  async cleanUp(contestant) {
    await compose(contestant, await ownClient(contestant), 'application', ['down', '-v', '-t', '0']);
  },
};

/** `compose config` of a long file; needs no daemon. */
export const composeConfig: Case = {
  name: 'compose-config',
  metrics: [{ name: 'config', title: '`compose config` of 200 services', unit: 'ms', maxRatio: 1 }],
  rounds: ({ quick }) => (quick ? 5 : 15),
  async round(contestant) {
    return { config: await compose(contestant, await ownClient(contestant), 'large', ['config', '-q']) };
  },
};

/** `wharf ps` beside `docker ps`, one after the other on the same daemon. */
export const listing: Case = {
  name: 'client-ps',
  metrics: [
    { name: 'ps', title: '`ps` of 20 containers, by its own client', unit: 'ms' },
    { name: 'ps-share', title: '`wharf ps` as times of `docker ps` on that daemon', unit: 'times', maxValue: 1.5 },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async prepare(contestant) {
    for (let index = 0; index < 20; index += 1)
      await contestant.docker(['run', '-d', '--init', '--name', `bench-ps-${index}`, BUSYBOX, 'sleep', '1000000']);
  },
  async round(contestant) {
    const env = clientEnvironment(contestant.host);
    const times = { wharf: [] as number[], docker: [] as number[] };
    const programs = { wharf: WHARF, docker: await dockerCli() };
    for (let index = 0; index < LISTINGS; index += 1) {
      for (const name of ['wharf', 'docker'] as const)
        times[name].push(await timed(() => must([programs[name], 'ps'], { env, timeoutMs: 60_000 })));
    }
    const median = (name: keyof typeof times) => times[name].toSorted((a, b) => a - b)[LISTINGS >> 1] ?? 0;
    return { ps: median(contestant.name), 'ps-share': median('wharf') / median('docker') };
  },
  async cleanUp(contestant) {
    const names = Array.from({ length: 20 }, (_, index) => `bench-ps-${index}`);
    await contestant.docker(['rm', '-f', ...names]);
  },
};
