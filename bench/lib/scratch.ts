import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let directory: string | undefined;

/** A folder for what the cases make; gone at the end. */
export function scratch(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'wharf-bench-'));
  return directory;
}

export function removeScratch(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
}
