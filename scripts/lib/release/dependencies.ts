import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What does not run: types, maps, sources of what is compiled, documents. Licences stay. */
const UNUSED = /\.[cm]?ts$|\.map$|\.md$|\.(?:cc|hh|h|S|asm)$|\/(?:test|docs?|benchmarks|examples|vendor|\.github)$/;

/**
 * Copies the packages that the workspaces need when they run, and what those need, from one node_modules to another. Returns their names.
 * Throws when one is not installed.
 */
export function copyDependencies(workspaces: readonly string[], from: string, to: string): readonly string[] {
  const wanted = new Set<string>();
  const follow = (manifest: string) => {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
    for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
      if (name.startsWith('@wharf/') || wanted.has(name)) continue;
      const path = join(from, name, 'package.json');
      if (!existsSync(path)) {
        if (Object.hasOwn(optionalDependencies, name)) continue;
        throw new Error(`Cannot build a release: "${name}" is not in node_modules: run npm ci`);
      }
      wanted.add(name);
      follow(path);
    }
  };
  for (const workspace of workspaces) follow(join(workspace, 'package.json'));
  for (const name of wanted) {
    const filter = (path: string) => !UNUSED.test(path.slice(from.length));
    cpSync(join(from, name), join(to, name), { recursive: true, dereference: true, filter });
  }
  return [...wanted].toSorted();
}
