import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { startRegistry } from './lib/registry.ts';

const program = process.env['WHARF_OCI_CONFORMANCE'];
const skip = program === undefined ? 'WHARF_OCI_CONFORMANCE names no program' : false;

for (const version of ['1.1', 'dev']) {
  test(`the specification's own suite passes for ${version}`, { skip, timeout: 120_000 }, async () => {
    await using stack = new AsyncDisposableStack();
    const results = mkdtempSync(join(tmpdir(), 'wharf-oci-results-'));
    stack.defer(() => rmSync(results, { recursive: true, force: true }));
    const url = new URL(await startRegistry(stack));
    const result = await run([program ?? ''], {
      env: {
        OCI_REGISTRY: url.host,
        OCI_TLS: 'disabled',
        OCI_REPO1: 'conformance/a',
        OCI_REPO2: 'conformance/b',
        OCI_VERSION: version,
        OCI_RESULTS_DIR: results,
      },
      timeoutMs: 110_000,
    });
    assert.equal(result.code, 0, result.output.slice(-4000));
    assert.doesNotMatch(result.output, /: (?:Fail|Error)$/m);
  });
}
