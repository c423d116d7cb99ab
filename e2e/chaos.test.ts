import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { delay } from '../scripts/lib/delay.ts';
import { run } from '../scripts/lib/run.ts';
import { tracesOf } from './lib/audit.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

const LIVES = 200;
const AT_A_TIME = 8;
const TIME_LIMIT_MS = 180_000;
const SEED = Number(process.env['WHARF_CHAOS_SEED'] ?? 20261121);

/** A small repeatable generator (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Life {
  readonly name: string;
  readonly lines: number;
  readonly exitCode: number;
  readonly network: 'bridge' | 'none';
  readonly published: boolean;
}

function lifeOf(index: number, random: () => number): Life {
  return {
    name: `chaos-${index}`,
    lines: 1 + Math.floor(random() * 200),
    exitCode: Math.floor(random() * 100),
    network: random() < 0.6 ? 'bridge' : 'none',
    published: random() < 0.3,
  };
}

/** Set by the first failure and at the end: nobody starts anything any more. */
class Halt {
  reason: string | undefined;

  check(): void {
    if (this.reason !== undefined) throw new Error(`halted: ${this.reason}`);
  }
}

const AWAY =
  /Cannot connect|connection refused|EOF|connection reset|broken pipe|error during connect|no such file|context canceled/i;

/** Runs a docker command until the daemon was there to answer it. A command cut off in the middle is simply said again. */
async function persist(
  { daemon, halt }: World,
  args: readonly string[],
  done: (output: string) => boolean,
): Promise<string> {
  for (;;) {
    halt.check();
    const result = await daemon.docker(args, { timeoutMs: 30_000 });
    if (result.code === 0 || done(result.stderr)) return result.stdout;
    assert.notEqual(result.code, 124, `docker ${args.join(' ')} hung for 30 s`);
    assert.ok(AWAY.test(result.stderr), `docker ${args.join(' ')}: ${result.output}`);
    await delay(50);
  }
}

interface World {
  readonly daemon: TestDaemon;
  readonly halt: Halt;
}

const never = () => false;

/** One container from create to its end; returns what went wrong. */
async function live(world: World, life: Life): Promise<readonly string[]> {
  const options = [
    '--name',
    life.name,
    '--network',
    life.network,
    ...(life.published && life.network === 'bridge' ? ['-p', '80'] : []),
  ];
  const script = `i=0; while [ $i -lt ${life.lines} ]; do i=$((i+1)); echo $i; done; sleep 0.2; exit ${life.exitCode}`;
  await persist(world, ['create', ...options, BUSYBOX, 'sh', '-c', script], (error) => /already in use/.test(error));
  await persist(world, ['start', life.name], never);
  // A kill between the start and its answer makes the second start come after the end: what counts is that it has run.
  const code = (await persist(world, ['wait', life.name], never)).trim();
  const problems: string[] = [];
  if (code !== String(life.exitCode)) {
    const state = await persist(world, ['inspect', '-f', '{{.Id}} {{json .State}}', life.name], never);
    problems.push(`${life.name}: exit code ${code}, not ${life.exitCode}: ${state.trim()}`);
  }
  const printed = (await persist(world, ['logs', life.name], never)).trimEnd().split('\n');
  const runs = printed.length / life.lines;
  const whole = Number.isInteger(runs) && printed.every((line, index) => line === String((index % life.lines) + 1));
  if (!whole)
    problems.push(`${life.name}: ${printed.length} lines logged of ${life.lines}: ${printed.slice(-3).join(' ')}`);
  await persist(world, ['rm', '-f', life.name], (error) => /No such container|already in progress/.test(error));
  return problems;
}

/** Kills the daemon at random moments until told to stop; returns how often. */
async function torment(daemon: TestDaemon, random: () => number, goOn: () => boolean): Promise<number> {
  let kills = 0;
  while (goOn()) {
    await delay(50 + random() * 800);
    if (!goOn()) break;
    await daemon.crash();
    kills += 1;
  }
  return kills;
}

test(`${LIVES} container lives under kill -9 of the daemon lose and leak nothing`, {
  timeout: TIME_LIMIT_MS + 60_000,
}, async () => {
  const world: World = { daemon: await TestDaemon.start(), halt: new Halt() };
  let failure: unknown;
  try {
    await loadBusybox(world.daemon.host);
    await liveAll(world, randomOf(SEED));
    await auditNothingLeft(world.daemon);
  } catch (error) {
    failure = error;
    console.log(world.daemon.log.slice(-4000));
  }
  await world.daemon.dispose().catch((error: unknown) => {
    failure ??= error;
  });
  if (failure !== undefined) throw failure;
});

/** All lives, so many at a time, while the daemon is killed again and again. */
async function liveAll(world: World, random: () => number): Promise<void> {
  const lives = Array.from({ length: LIVES }, (_, index) => lifeOf(index, random));
  const deadline = Date.now() + TIME_LIMIT_MS;
  const problems: string[] = [];
  let next = 0;
  const worker = async () => {
    try {
      for (let life = lives[next++]; life !== undefined && Date.now() < deadline; life = lives[next++]) {
        problems.push(...(await live(world, life)));
      }
    } catch (error) {
      world.halt.reason ??= error instanceof Error ? error.message : String(error);
    }
  };
  let running = true;
  const tormented = torment(world.daemon, random, () => running);
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  running = false;
  const kills = await tormented;
  console.log(`  seed ${SEED}: ${Math.min(next, LIVES)} lives, ${kills} kills of the daemon`);
  assert.deepEqual({ problems, halted: world.halt.reason }, { problems: [], halted: undefined });
  assert.ok(next >= LIVES, `only ${next} of ${LIVES} lives within ${TIME_LIMIT_MS} ms`);
}

async function auditNothingLeft(daemon: TestDaemon): Promise<void> {
  // The last start of the daemon may still be finishing removals that a kill cut off.
  await eventually('all containers are gone', async () => (await daemon.ok('ps', '-aq')) === '').catch(
    async (error: unknown) => {
      console.log(await daemon.ok('ps', '-a', '--no-trunc'));
      throw error;
    },
  );
  const mine = async () => (await tracesOf(daemon.directory)).filter((line) => !line.includes('/wharfd.ts'));
  await eventually(
    'monitors and mounts are gone',
    async () => (await mine()).filter((line) => line.startsWith('process')).length === 0,
  ).catch(() => {});
  const left = (await mine()).filter((line) => !/mount: .*\/(exec|data)$/.test(line));
  assert.deepEqual(left, []);
  const links = await run(['ip', '-o', 'link', 'show', 'master', daemon.bridge]);
  assert.equal(links.stdout.trim(), '', 'links on the bridge');
  const rules = (await run(['nft', 'list', 'ruleset'])).stdout;
  assert.equal(
    /dnat to .*:80/.test(
      rules
        .split('table')
        .filter((table) => table.includes(daemon.bridge))
        .join(''),
    ),
    false,
    'port rules',
  );
  const homes = ['containers', 'netns', 'exits'].map((name) => join(daemon.execRoot, name));
  const entries = [...homes, join(daemon.dataRoot, 'containers')].filter(existsSync).flatMap((dir) => readdirSync(dir));
  assert.deepEqual(
    entries.filter((name) => /^[0-9a-f]{64}/.test(name)),
    [],
    'files of containers',
  );
}
