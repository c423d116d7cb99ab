import { parseArgs } from 'node:util';
import { leaks, takeInventory } from '../e2e/lib/audit.ts';
import { check, showFailures } from './check.ts';
import { runSuite } from './lib/node-test.ts';
import { listFiles, testFiles } from './lib/sources.ts';
import { setUp } from './setup.ts';

interface SuiteSummary {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly ms: number;
}

const MINUTE_MS = 60_000;
const HELP = `npm test -- [--only check,kernel,e2e,chaos,conformance,audit] [--file PART-OF-A-PATH]

Runs everything; ends with "N passed, M failed".
`;

/** Runs one part of the tests with a heading, its time and its counts. */
async function part(
  name: string,
  work: () => Promise<{ readonly passed: number; readonly failed: number }>,
): Promise<SuiteSummary> {
  console.log(`\n━━ ${name} ━━`);
  const start = performance.now();
  const { passed, failed } = await work();
  const ms = performance.now() - start;
  console.log(`${name}: ${passed} passed, ${failed} failed in ${(ms / 1000).toFixed(1)} s`);
  return { name, passed, failed, ms };
}

function suite(
  files: readonly string[],
  options: { readonly timeoutMs: number; readonly testTimeoutMs?: number; readonly concurrency?: number },
): Promise<{ readonly passed: number; readonly failed: number }> {
  return runSuite({ files, isolation: 'process', echo: true, ...options });
}

async function checkPart(): Promise<{ readonly passed: number; readonly failed: number }> {
  const results = await check();
  showFailures(results);
  return results.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }), {
    passed: 0,
    failed: 0,
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, file: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (process.getuid?.() !== 0)
    throw new Error(
      'root is needed: the tests make namespaces, mounts and packet filter rules (npm run check needs none)',
    );
  const chosen = (files: readonly string[]) =>
    files.filter((path) => values.file === undefined || path.includes(values.file));
  const inMachine = (path: string) => path.includes('/vm/');
  const e2e = listFiles(['e2e'], '.test.ts').filter((path) => !path.includes('chaos'));
  // Those in a machine of their own take longest, and node begins files in the order of their names: one after another beside the rest.
  const endToEnd = async () => {
    const [machines, rest] = await Promise.all([
      suite(chosen(e2e.filter(inMachine)), { timeoutMs: 25 * MINUTE_MS, concurrency: 1 }),
      suite(chosen(e2e.filter((path) => !inMachine(path))), { timeoutMs: 12 * MINUTE_MS, concurrency: 2 }),
    ]);
    return { passed: machines.passed + rest.passed, failed: machines.failed + rest.failed };
  };
  const parts: Readonly<Record<string, () => Promise<{ readonly passed: number; readonly failed: number }>>> = {
    check: checkPart,
    kernel: () => suite(chosen(testFiles('root')), { timeoutMs: 5 * MINUTE_MS, concurrency: 2 }),
    e2e: endToEnd,
    chaos: () =>
      suite(chosen(listFiles(['e2e'], '.test.ts').filter((path) => path.includes('chaos'))), {
        timeoutMs: 6 * MINUTE_MS,
        testTimeoutMs: 5 * MINUTE_MS,
      }),
    conformance: () =>
      suite(chosen(listFiles(['conformance'], '.test.ts')), {
        timeoutMs: 5 * MINUTE_MS,
      }),
  };
  const only = values.only?.split(',');
  const wanted = (name: string) => only === undefined || only.includes(name);
  await setUp({ tests: true });
  const before = await takeInventory();
  const summaries: SuiteSummary[] = [];
  for (const [name, work] of Object.entries(parts)) {
    if (wanted(name)) summaries.push(await part(name, work));
  }
  if (wanted('audit')) summaries.push(await part('audit', () => audit(before)));
  return summarize(summaries);
}

/** Nothing may be on the machine afterwards that was not there before. */
async function audit(
  before: Awaited<ReturnType<typeof takeInventory>>,
): Promise<{ readonly passed: number; readonly failed: number }> {
  // Only what bears our names: other programs use the machine, too.
  const ours = (line: string) => /wharf|conmon|crun|dockerd|containerd|overlay|veth|\bwe[0-9a-z]{4,}/.test(line);
  const left = leaks(before, await takeInventory(), ours);
  for (const line of left) console.log(`left behind: ${line}`);
  return left.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function summarize(summaries: readonly SuiteSummary[]): number {
  console.log('');
  for (const { name, passed, failed, ms } of summaries) {
    console.log(
      `${name.padEnd(12)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${(ms / 1000).toFixed(1).padStart(7)} s`,
    );
  }
  const passed = summaries.reduce((sum, one) => sum + one.passed, 0);
  const failed = summaries.reduce((sum, one) => sum + one.failed, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
