import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEnvironment } from '../../e2e/lib/docker.ts';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { buildxPlugin } from '../../e2e/lib/plugins.ts';
import { WHARF } from '../../e2e/lib/wharf-user.ts';
import { must } from '../../scripts/lib/run.ts';
import { type Case, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';
import { scratch } from '../lib/scratch.ts';

const FILES = 2000;
const FILE_BYTES = 100_000;

let root: string | undefined;

/** Two contexts: one that is nothing but a label, and one of 200 MB in 2,000 files. */
function contexts(): string {
  if (root !== undefined) return root;
  root = join(scratch(), 'build-client');
  mkdirSync(join(root, 'idle'), { recursive: true });
  mkdirSync(join(root, 'files'));
  writeFileSync(join(root, 'idle', 'Dockerfile'), `FROM ${BUSYBOX}\nLABEL idle=1\n`);
  writeFileSync(join(root, 'files', 'Dockerfile'), `FROM ${BUSYBOX}\nCOPY . /data\n`);
  const content = randomBytes(FILE_BYTES);
  for (let index = 0; index < FILES; index++) {
    content.writeUInt32LE(index);
    writeFileSync(join(root, 'files', String(index)), content);
  }
  return root;
}

type Client = readonly [string, ...string[]];

async function build({ host }: Contestant, client: Client, folder: string): Promise<number> {
  return timed(() => must([...client, 'build', '-q', folder], { env: clientEnvironment(host), timeoutMs: 120_000 }));
}

/** Under a name that no daemon has seen, so that all of it is sent. */
async function send(contestant: Contestant, client: Client): Promise<number> {
  const from = join(contexts(), 'files');
  const to = join(contexts(), `fresh-${randomBytes(4).toString('hex')}`);
  renameSync(from, to);
  try {
    return await build(contestant, client, to);
  } finally {
    renameSync(to, from);
  }
}

/** `wharf build` beside buildx, both on the same daemon; what each daemon's own client takes stands beside each other. */
export const buildClient: Case = {
  name: 'build-client',
  metrics: [
    { name: 'client-idle', title: 'a build with nothing to do, by its own client', unit: 'ms' },
    { name: 'client-idle-share', title: '`wharf build` of that, as times of buildx', unit: 'times', maxValue: 2 },
    { name: 'client-send', title: 'a context of 200 MB sent and copied, by its own client', unit: 'ms' },
    { name: 'client-send-share', title: '`wharf build` of that, as times of buildx', unit: 'times', maxValue: 1.25 },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async round(contestant) {
    const buildx: Client = [await buildxPlugin()];
    const wharf: Client = [WHARF];
    const idle = join(contexts(), 'idle');
    const times: Record<string, number> = {};
    for (const [name, client] of [
      ['wharf', wharf],
      ['buildx', buildx],
    ] as const) {
      await build(contestant, client, idle);
      const again = [await build(contestant, client, idle), await build(contestant, client, idle)];
      times[`${name}-idle`] = Math.min(...again);
      times[`${name}-send`] = await send(contestant, client);
    }
    const share = (name: string) => (times[`wharf-${name}`] ?? 0) / (times[`buildx-${name}`] ?? 1);
    const own = contestant.name === 'wharf' ? 'wharf' : 'buildx';
    return {
      'client-idle': times[`${own}-idle`] ?? 0,
      'client-idle-share': share('idle'),
      'client-send': times[`${own}-send`] ?? 0,
      'client-send-share': share('send'),
    };
  },
};
