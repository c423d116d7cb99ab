import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { checkLayers } from './check-layers.ts';
import { runSuite } from './lib/node-test.ts';
import { ROOT } from './lib/root.ts';
import { run } from './lib/run.ts';
import { testFiles } from './lib/sources.ts';

/** One part of the check and how it went. */
export interface StepResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
  readonly ms: number;
}

type Step = () => Promise<Omit<StepResult, 'name' | 'ms'>>;

const STEPS: Readonly<Record<string, Step>> = {
  types: tool('tsc', ['-p', '.']),
  lint: tool('oxlint', ['--type-aware', '--quiet']),
  format: tool('biome', ['ci', '--colors=off', '.']),
  'dead code': tool('knip', ['--no-progress', '--no-config-hints']),
  layers: async () => {
    const problems = checkLayers();
    return {
      passed: problems.length === 0 ? 1 : 0,
      failed: problems.length === 0 ? 0 : 1,
      output: problems.join('\n'),
    };
  },
  'unit tests': unitTests,
};

/** Everything that needs no root: types, lint, format, layers, dead code, fast tests; all at once. */
export async function check(): Promise<readonly StepResult[]> {
  return Promise.all(
    Object.entries(STEPS).map(async ([name, step]) => {
      const start = performance.now();
      const result = await step();
      const ms = performance.now() - start;
      const verdict = result.failed === 0 ? 'ok' : 'FAILED';
      console.log(`${verdict.padEnd(6)} ${name.padEnd(12)} ${(ms / 1000).toFixed(1).padStart(5)} s`);
      return { name, ms, ...result };
    }),
  );
}

/** In a few processes that take about as long as each other. */
async function unitTests(): Promise<Omit<StepResult, 'name' | 'ms'>> {
  const share = (path: string) => {
    const [, name = ''] = path.split('/');
    if (['registry', 'oci'].includes(name)) return 'images';
    return ['engine', 'builder'].includes(name) ? name : 'rest';
  };
  const shares = Object.values(Object.groupBy(testFiles('unit'), share)).filter((files) => files !== undefined);
  const results = await Promise.all(
    shares.map((files) => runSuite({ files, isolation: 'none', timeoutMs: 180_000, testTimeoutMs: 60_000 })),
  );
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    output: results.map(({ output }) => output).join(''),
  };
}

function tool(name: string, args: readonly string[]): Step {
  return async () => {
    const path = join(ROOT, 'node_modules/.bin', name);
    const result = await run([process.execPath, path, ...args], {
      cwd: ROOT,
      timeoutMs: 120_000,
      env: { NO_COLOR: '1' },
    });
    const failed = result.code === 0 ? 0 : 1;
    return { passed: 1 - failed, failed, output: result.output };
  };
}

/** Prints what the failed steps said. */
export function showFailures(results: readonly StepResult[]): void {
  for (const { name, failed, output } of results) {
    if (failed > 0) console.log(`\n── ${name} ──\n${output.trimEnd()}`);
  }
}

if (import.meta.main) {
  const start = performance.now();
  const results = await check();
  showFailures(results);
  const bad = results.filter(({ failed }) => failed > 0);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    bad.length === 0
      ? `check: all well in ${seconds} s on ${availableParallelism()} cores`
      : `check: ${bad.map(({ name }) => name).join(', ')} failed (${seconds} s)`,
  );
  process.exitCode = bad.length === 0 ? 0 : 1;
}
