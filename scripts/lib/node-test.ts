import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.ts';
import { run } from './run.ts';

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

export interface SuiteOptions {
  readonly files: readonly string[];
  /** `none`: all files in one process (fast). `process`: one process per file. */
  readonly isolation: 'none' | 'process';
  readonly concurrency?: number;
  readonly timeoutMs: number;
  readonly testTimeoutMs?: number;
  readonly echo?: boolean;
}

/** Runs test files with node:test and counts. A suite that dies or is cut off counts as one more failure. */
export async function runSuite(options: SuiteOptions): Promise<TestCounts & { readonly output: string }> {
  if (options.files.length === 0) return { passed: 0, failed: 0, output: 'no test files\n' };
  const dir = mkdtempSync(join(tmpdir(), 'wharf-summary-'));
  const summary = join(dir, 'summary.json');
  try {
    const flags = [
      '--test',
      `--import=${join(ROOT, 'scripts/lib/property-seed.ts')}`,
      `--test-isolation=${options.isolation}`,
      `--test-reporter=${join(ROOT, 'scripts/lib/test-reporter.ts')}`,
      '--test-reporter-destination=stdout',
      `--test-timeout=${options.testTimeoutMs ?? 120_000}`,
      ...(options.isolation === 'process' ? [`--test-concurrency=${options.concurrency ?? 1}`] : []),
    ];
    const result = await run([process.execPath, ...flags, ...options.files], {
      cwd: ROOT,
      env: { WHARF_TEST_SUMMARY: summary },
      timeoutMs: options.timeoutMs,
      echo: options.echo ?? false,
    });
    const counts = readCounts(summary);
    if (counts === undefined) {
      const reason =
        result.code === 124 ? `not finished after ${options.timeoutMs} ms` : `ended with status ${result.code}`;
      return { passed: 0, failed: 1, output: `${result.output}\nthe test process ${reason}\n` };
    }
    const hidden = result.code !== 0 && counts.failed === 0 ? 1 : 0;
    return { passed: counts.passed, failed: counts.failed + hidden, output: result.output };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function readCounts(path: string): TestCounts | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestCounts;
  } catch {
    return undefined;
  }
}
