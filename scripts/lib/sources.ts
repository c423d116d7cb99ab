import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './root.ts';

const SKIPPED = new Set(['node_modules', '.git', '.cache', 'results', 'fixtures']);

/** All files below some folders of the repository (those that exist), as paths from its root, sorted. */
export function listFiles(folders: readonly string[], suffix: string): readonly string[] {
  const found: string[] = [];
  const walk = (dir: string) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (SKIPPED.has(entry.name)) continue;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith(suffix)) found.push(relative(ROOT, path));
    }
  };
  for (const folder of folders) if (existsSync(join(ROOT, folder))) walk(join(ROOT, folder));
  return found.sort();
}

/** The text of a file, by its path from the repository's root. */
export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Test files by tier: `unit` needs no root and takes milliseconds, `root` touches the kernel. */
export function testFiles(tier: 'unit' | 'root'): readonly string[] {
  return listFiles(['packages', 'scripts'], '.test.ts').filter(
    (path) => path.endsWith('.root.test.ts') === (tier === 'root'),
  );
}
