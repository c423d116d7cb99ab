import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { ROOT } from '../../scripts/lib/root.ts';
import { type RunOptions, type RunResult, run } from '../../scripts/lib/run.ts';

/** The program under test. */
export const WHARF = join(ROOT, 'bin/wharf');

/** `wharf` as a user has it who knows the daemon's address, and directories to build from. */
export interface WharfUser {
  /** A directory that goes after the last test. */
  readonly scratch: string;
  environment(more?: Readonly<Record<string, string>>): NodeJS.ProcessEnv;
  wharf(line: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** `wharf build --progress plain` of a directory. */
  build(folder: string, ...line: readonly string[]): Promise<RunResult>;
  /** Makes a directory that holds these files. */
  context(files: Readonly<Record<string, string>>): string;
}

/** One for all tests of a file. */
export function wharfUser(host: () => string): WharfUser {
  const scratch = mkdtempSync(join(tmpdir(), 'wharf-user-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const config = join(scratch, 'config');
  mkdirSync(config);
  const environment: WharfUser['environment'] = (more = {}) => {
    const { PATH, HOME } = process.env;
    return { PATH, HOME, DOCKER_CONFIG: config, WHARF_HOST: host(), ...more };
  };
  const wharf: WharfUser['wharf'] = (line, options = {}) =>
    run([WHARF, ...line], { env: environment(), timeoutMs: 60_000, ...options });
  return {
    ...{ scratch, environment, wharf },
    build: (folder, ...line) => wharf(['build', '--progress', 'plain', ...line, folder]),
    context(files) {
      const folder = mkdtempSync(join(scratch, 'context-'));
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      return folder;
    },
  };
}
