import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

/** A specifier of one of our own modules: `'./worker.ts'`, in imports, `import.meta.resolve()` and `new URL()`. */
const OWN_MODULE = /(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g;
const TEST = /\.test\.ts$|\.d\.ts$|(^|\/)(?:testsuite|test-[^/]*)\.ts$/;

/** Copies a workspace with its types taken out: the same files and lines, as JavaScript, without tests. */
export function stripPackage(from: string, to: string): void {
  for (const entry of readdirSync(join(from, 'src'), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const path = source.slice(from.length + 1);
    if (TEST.test(path)) continue;
    const target = join(to, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    if (path.endsWith('.ts')) writeFileSync(target, stripped(readFileSync(source, 'utf8')));
    else copyFileSync(source, target);
  }
  const manifest = readFileSync(join(from, 'package.json'), 'utf8');
  writeFileSync(join(to, 'package.json'), manifest.replaceAll('.ts"', '.js"'));
}

function stripped(source: string): string {
  return stripTypeScriptTypes(source).replaceAll(OWN_MODULE, '$1$2.js$1');
}
