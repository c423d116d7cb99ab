import { readdirSync, statSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { loadLazyModules } from '@wharf/kit';

/** Set in the environment of the second start, so that there is no third. */
const MARK = 'WHARF_LEAN_START';

/**
 * Starts the process anew (execve(2): same pid, same arguments) when some of its modules had to be compiled: the type stripper that came
 * with that holds some 30 MB until the process ends, and a start from the compile cache does without. Returns when there is nothing to
 * gain: all came from the cache, there is no cache, or this is the second start already.
 *
 * Call it when everything is imported and nothing is open yet.
 */
export async function startLean(): Promise<void> {
  const second = process.env[MARK] !== undefined;
  delete process.env[MARK];
  const directory = getCompileCacheDir();
  if (second || directory === undefined) return;
  flushCompileCache();
  if (newestEntryMs(directory) < performance.timeOrigin) return;
  // What a later request loads must not bring the stripper in either.
  await loadLazyModules();
  flushCompileCache();
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    [MARK]: '1',
  });
}

function newestEntryMs(directory: string): number {
  // Another start may write beside this one: its half-written entries come and go.
  const times = readdirSync(directory).map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs,
  );
  return Math.max(0, ...times.flatMap((time) => time ?? []));
}
