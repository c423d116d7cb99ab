import { request } from 'node:http';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { delay } from '../../scripts/lib/delay.ts';
import { type Case, pooled } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';

const AT_A_TIME = 8;
const DEADLINE_MS = 120_000;
/** How many of the 500 run: as many as a machine with two cores starts in bounded time; BENCH_RUNNING=500 for all. */
const RUNNING = Number(process.env['BENCH_RUNNING'] ?? 50);

const prefix = 'bench-restart-';

/** A daemon is killed and started again where 500 containers are; those that run go on meanwhile. */
export const restart: Case = {
  name: 'restart',
  metrics: [
    { name: 'first', title: 'first `ps` after a start with 500 containers', unit: 'ms', maxValue: 2000 },
    { name: 'ready', title: 'until all 500 are found again and can be worked with', unit: 'ms', maxValue: 2000 },
    { name: 'slowest', title: 'slowest `ps` meanwhile', unit: 'ms' },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async prepare(contestant, { quick }) {
    const count = quick ? 100 : 500;
    const running = Math.min(RUNNING, count);
    const { docker } = contestant;
    const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    await pooled(
      AT_A_TIME,
      names.map((name, index) => async () => {
        await docker([...(index < running ? ['run', '-d'] : ['create']), '--name', name, BUSYBOX, 'sleep', '1000000']);
      }),
    );
  },
  async round(contestant) {
    await contestant.kill();
    const began = performance.now();
    const started = contestant.start();
    const done = new AbortController();
    const [ready, { first, slowest }] = await Promise.all([
      readyAfter(contestant, began).finally(() => done.abort()),
      listUntil(contestant, began, done.signal),
    ]);
    await started;
    return { first, ready, slowest };
  },
  async cleanUp({ docker }) {
    const ids = (await docker(['ps', '-aq', '--filter', `name=${prefix}`])).split('\n').filter((id) => id !== '');
    const parts = Array.from({ length: Math.ceil(ids.length / 25) }, (_, index) =>
      ids.slice(index * 25, (index + 1) * 25),
    );
    await pooled(
      4,
      parts.map((part) => () => docker(['rm', '-f', ...part])),
    );
  },
};

/** A change waits until everything is found: one of nothing is refused then. */
async function readyAfter({ host }: Contestant, began: number): Promise<number> {
  for (;;) {
    const status = await ask(host, 'POST', '/containers/bench-restart-none/stop');
    if (status === 404) return performance.now() - began;
    await nextTry(began);
  }
}

/** When the first list came, and how long the slowest took until the signal. */
async function listUntil(
  { host }: Contestant,
  began: number,
  done: AbortSignal,
): Promise<{ readonly first: number; readonly slowest: number }> {
  let first: number | undefined;
  let slowest = 0;
  while (first === undefined || !done.aborted) {
    const asked = performance.now();
    const status = await ask(host, 'GET', '/containers/json');
    const now = performance.now();
    if (status === 200) {
      first ??= now - began;
      slowest = Math.max(slowest, now - asked);
    }
    await nextTry(began);
  }
  return { first, slowest };
}

async function nextTry(began: number): Promise<void> {
  if (performance.now() - began > DEADLINE_MS) throw new Error('the daemon is not there again after two minutes');
  await delay(10);
}

/** The status of the answer; `undefined` while nobody answers. */
function ask(host: string, method: string, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: host.slice('unix://'.length), method, path }, (response) => {
      response.resume();
      response.once('error', () => resolve(undefined));
      response.once('end', () => resolve(response.statusCode));
    });
    asked.once('error', () => resolve(undefined));
    asked.end();
  });
}
