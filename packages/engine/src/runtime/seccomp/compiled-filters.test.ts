import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CompiledFilters } from './compiled-filters.ts';

const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] };

describe('CompiledFilters', () => {
  it('gives back what a runtime has written, to the next daemon too', () => {
    using scratch = scratchDirectory();
    const program = join(scratch.path, 'seccomp.bpf');
    writeFileSync(program, Buffer.alloc(16, 7));
    const filters = new CompiledFilters(join(scratch.path, 'filters'));
    assert.equal(filters.find(profile), undefined);
    filters.learn(profile, program);
    assert.equal(filters.find(profile), Buffer.alloc(16, 7).toString('base64'));
    assert.equal(new CompiledFilters(join(scratch.path, 'filters')).find(profile), filters.find(profile));
    assert.equal(filters.find({ ...profile, defaultAction: 'SCMP_ACT_KILL' }), undefined);
  });

  it('keeps nothing that cannot be a filter', () => {
    using scratch = scratchDirectory();
    const filters = new CompiledFilters(join(scratch.path, 'filters'));
    for (const size of [0, 7, 4097 * 8]) {
      const program = join(scratch.path, `program-${size}`);
      writeFileSync(program, Buffer.alloc(size));
      filters.learn(profile, program);
      assert.equal(filters.find(profile), undefined, `${size} bytes`);
    }
    filters.learn(profile, join(scratch.path, 'absent'));
    assert.equal(filters.find(profile), undefined);
  });
});

function scratchDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'wharf-filters-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
