import { WharfError } from '@wharf/kit';
import type { EngineConfig } from '../engine-config.ts';
import { findProgram } from '../runtime/find-program.ts';

const CANDIDATES = ['docker-init', 'tini-static', 'tini', 'catatonit'];

/** The program that `--init` puts before the command. Throws `failed-precondition` when there is none. */
export function initProgram(config: Pick<EngineConfig, 'initPath'>): string {
  const candidates = config.initPath === undefined ? CANDIDATES : [config.initPath];
  for (const name of candidates) {
    const path = findProgram(name);
    if (path !== undefined) return path;
  }
  throw new WharfError(
    'failed-precondition',
    `Cannot run with an init: none of ${candidates.join(', ')} is installed`,
    {
      hint: 'apt-get install tini',
    },
  );
}
