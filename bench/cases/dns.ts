import { fileURLToPath } from 'node:url';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { run } from '../../scripts/lib/run.ts';
import type { Case } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';

const NETWORK = 'bench-dns';
const CLIENTS = ['bench-dns-0', 'bench-dns-1', 'bench-dns-2', 'bench-dns-3'];
const QUERIES_PER_SECOND = 10_000;
const CLIENT = fileURLToPath(new URL('../lib/dns-client.ts', import.meta.url));

interface Report {
  readonly ms: number;
  readonly lost: number;
  readonly wrong: number;
  readonly p99: number;
}

/** A client in the network namespace of each container, all at once. */
async function askFrom(contestant: Contestant, queries: number, rate: number): Promise<readonly Report[]> {
  return Promise.all(
    CLIENTS.map(async (name) => {
      const pid = (await contestant.docker(['inspect', '-f', '{{.State.Pid}}', name])).trim();
      const client = [process.execPath, CLIENT, String(queries), String(rate), ...CLIENTS];
      const result = await run(['nsenter', '-t', pid, '-n', ...client], { timeoutMs: 60_000 });
      if (result.code !== 0) throw new Error(`the DNS client failed: ${result.output}`);
      const report = JSON.parse(result.stdout) as Report;
      if (report.wrong > 0) throw new Error(`${contestant.name}: ${report.wrong} wrong answers`);
      return report;
    }),
  );
}

/** Names of containers, asked for by four containers at once. */
export const dns: Case = {
  name: 'dns',
  metrics: [
    { name: 'burst', title: 'DNS: 40,000 questions, 32 open from each of 4 containers', unit: 'ms', maxRatio: 1 },
    { name: 'p99', title: 'DNS: p99 at 10,000 questions a second', unit: 'ms', maxValue: 5 },
    { name: 'lost', title: 'DNS: questions lost at that rate', unit: 'count', maxValue: 0 },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async prepare(contestant) {
    await contestant.docker(['network', 'create', NETWORK]);
    for (const name of CLIENTS) {
      await contestant.docker(['run', '-d', '--name', name, '--network', NETWORK, BUSYBOX, 'sleep', '1000000']);
    }
  },
  async round(contestant, { quick }) {
    const burst = await askFrom(contestant, 10_000, 0);
    const seconds = quick ? 1 : 3;
    const perClient = QUERIES_PER_SECOND / CLIENTS.length;
    const paced = await askFrom(contestant, perClient * seconds, perClient);
    return {
      burst: Math.max(...burst.map(({ ms }) => ms)),
      p99: Math.max(...paced.map(({ p99 }) => p99)),
      lost: paced.reduce((sum, { lost }) => sum + lost, 0),
    };
  },
  async cleanUp(contestant) {
    await contestant.docker(['rm', '-f', '-v', ...CLIENTS]);
    await contestant.docker(['network', 'rm', NETWORK]);
  },
};
