import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from '../root.ts';

/** Workspaces whose modules load workers, libraries or files from beside themselves: the command line takes them as they are. */
const KEPT_APART = /^@wharf\/(?:engine|linux|oci|registry|store)(?:\/|$)/;

/**
 * The command line as CommonJS: an entry and a chunk for what each command loads by itself. CommonJS, because `require()` of Node's own
 * modules costs a short program a third less than an import of them.
 */
export async function bundleCli(directory: string): Promise<void> {
  const build = await rolldown({
    input: { wharf: join(ROOT, 'packages/wharf/src/bin/wharf.ts') },
    platform: 'node',
    external: KEPT_APART,
    logLevel: 'warn',
  });
  try {
    await build.write({
      dir: directory,
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      exports: 'named',
    });
  } finally {
    await build.close();
  }
}
