import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadBusybox } from '../e2e/lib/images.ts';
import { ROOT } from '../scripts/lib/root.ts';
import { setUp } from '../scripts/setup.ts';
import { copy, loadAndSave } from './cases/archive.ts';
import { builds, largeContext } from './cases/build.ts';
import { buildClient } from './cases/build-client.ts';
import { composeConfig, composeProject, listing } from './cases/compose.ts';
import { dns } from './cases/dns.ts';
import { idle } from './cases/idle.ts';
import { many } from './cases/many.ts';
import { networks } from './cases/networks.ts';
import { ports } from './cases/ports.ts';
import { pullPush } from './cases/pull-push.ts';
import { registryManifests, registryStart, registryTags } from './cases/registry-requests.ts';
import { registryMemory, registryTransfers } from './cases/registry-transfers.ts';
import { restart } from './cases/restart.ts';
import { exec, runBridge, runNone } from './cases/run.ts';
import { storage } from './cases/storage.ts';
import { logs, stdio } from './cases/streams.ts';
import type { Case, Scale } from './lib/case.ts';
import { type Contestant, startDocker, startWharf } from './lib/contestant.ts';
import { type Row, rowOf, spreadOf, tableOf } from './lib/report.ts';
import { removeScratch } from './lib/scratch.ts';

const CASES: readonly Case[] = [
  idle,
  runBridge,
  runNone,
  exec,
  many,
  restart,
  loadAndSave,
  copy,
  pullPush,
  logs,
  stdio,
  dns,
  networks,
  ports,
  storage,
  builds,
  buildClient,
  largeContext,
  composeProject,
  composeConfig,
  listing,
  registryStart,
  registryManifests,
  registryTags,
  registryTransfers,
  registryMemory,
];
const DEFAULT_LIMIT_SECONDS = 900;

const HELP = `npm run bench -- [--quick] [--only NAME,…] [--no-peer] [--limit SECONDS] [--readme]

Measures wharf beside dockerd with the same docker CLI in one run; --readme puts the table into README.md.
Cases: ${CASES.map(({ name }) => name).join(', ')}
`;

type Samples = Map<string, number[]>;

/** Runs one case on all contestants, round by round. */
async function runCase(
  one: Case,
  contestants: readonly Contestant[],
  scale: Scale,
): Promise<ReadonlyMap<string, Samples>> {
  const samples = new Map(contestants.map(({ name }) => [name as string, new Map<string, number[]>()]));
  try {
    for (const contestant of contestants) await one.prepare?.(contestant, scale);
    for (let round = 0; round < one.rounds(scale); round += 1) {
      const order = round % 2 === 0 ? contestants : contestants.toReversed();
      for (const contestant of order) {
        const values = await one.round(contestant, scale);
        for (const [metric, value] of Object.entries(values)) {
          const list = samples.get(contestant.name)?.get(metric) ?? [];
          samples.get(contestant.name)?.set(metric, [...list, value]);
        }
      }
    }
  } finally {
    for (const contestant of contestants) await one.cleanUp?.(contestant).catch(() => {});
  }
  return samples;
}

function rowsOf(one: Case, samples: ReadonlyMap<string, Samples>): readonly Row[] {
  return one.metrics.flatMap((metric) => {
    const ours = spreadOf(samples.get('wharf')?.get(metric.name) ?? []);
    const theirs = spreadOf(samples.get('docker')?.get(metric.name) ?? []);
    return ours === undefined ? [] : [rowOf(metric, ours, theirs)];
  });
}

async function measure(
  contestants: readonly Contestant[],
  options: { readonly cases: readonly Case[]; readonly scale: Scale; readonly limitMs: number },
): Promise<{ rows: readonly Row[]; problems: readonly string[] }> {
  const deadline = performance.now() + options.limitMs;
  const rows: Row[] = [];
  const problems: string[] = [];
  for (const one of options.cases) {
    if (performance.now() > deadline) {
      problems.push(`${one.name}: left out, the time limit is reached`);
      continue;
    }
    const start = performance.now();
    try {
      rows.push(...rowsOf(one, await runCase(one, contestants, options.scale)));
    } catch (error) {
      problems.push(`${one.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    console.error(`${one.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  return { rows, problems };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      'no-peer': { type: 'boolean' },
      limit: { type: 'string' },
      readme: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const only = values.only?.split(',');
  const cases = CASES.filter(({ name }) => only === undefined || only.includes(name));
  if (cases.length === 0) {
    console.error(HELP);
    return 2;
  }
  await setUp({ tests: true });
  await using daemons = new AsyncDisposableStack();
  daemons.defer(removeScratch);
  const contestants: Contestant[] = [];
  const wharf = await startWharf();
  daemons.use(wharf.daemon);
  contestants.push(wharf.contestant);
  if (!values['no-peer']) {
    const peer = await startDocker();
    daemons.use(peer.daemon);
    contestants.push(peer.contestant);
  }
  for (const { host } of contestants) await loadBusybox(host);
  const scale = { quick: values.quick === true };
  const { rows, problems } = await measure(contestants, {
    cases,
    scale,
    limitMs: Number(values.limit ?? DEFAULT_LIMIT_SECONDS) * 1000,
  });
  report({
    contestants,
    rows,
    problems,
    quick: scale.quick,
    whole: only === undefined,
    readme: values.readme === true,
  });
  return problems.length === 0 ? 0 : 1;
}

interface Result {
  readonly contestants: readonly Contestant[];
  readonly rows: readonly Row[];
  readonly problems: readonly string[];
  readonly quick: boolean;
  /** No case was left out. */
  readonly whole: boolean;
  /** Put the table into README. */
  readonly readme: boolean;
}

function report(result: Result): void {
  const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, Linux ${release()}`;
  const versions = Object.fromEntries(result.contestants.map(({ name, version }) => [name, version]));
  const date = new Date().toISOString();
  const peer = versions['docker'] === undefined ? '' : ` beside dockerd ${versions['docker']}`;
  const text = `${tableOf(result.rows)}\n\n${date.slice(0, 10)}, wharf ${versions['wharf']}${peer}; ${machine}${result.quick ? '; quick' : ''}.`;
  console.log(`\n${text}`);
  for (const problem of result.problems) console.log(`not measured: ${problem}`);
  const folder = join(ROOT, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, result.quick || !result.whole ? 'partial.json.tmp' : 'latest.json');
  const { rows, problems, quick } = result;
  writeFileSync(file, `${JSON.stringify({ date, machine, versions, quick, problems, rows }, null, 2)}\n`);
  if (result.readme) putIntoReadme(text);
}

function putIntoReadme(text: string): void {
  const path = join(ROOT, 'README.md');
  const marked = /(<!-- bench: [^>]*-->\n).*?(\n<!-- \/bench -->)/s;
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(marked, (_, open: string, close: string) => `${open}\n${text}\n${close}`),
  );
}

process.exitCode = await main();
