import { loadProject } from '@wharf/compose/load/load-project';
import { PROJECT_FLAGS } from '../../commands/compose/project-flags.ts';
import type { FlagValues } from '../flags.ts';
import { parseLine } from '../parse-line.ts';
import type { Candidate } from './complete.ts';

/** Services or profiles of the Compose project that the flags before the verb lead to; all of them, whatever is switched on. */
export async function projectNames(
  kind: 'service' | 'profile',
  groupLine: readonly string[],
): Promise<readonly Candidate[]> {
  const { values } = parseLine(PROJECT_FLAGS, groupLine, { interspersed: true });
  const flags = values as unknown as FlagValues<typeof PROJECT_FLAGS>;
  const directory = flags['project-directory'];
  const { services, disabledServices } = await loadProject({
    ...{ files: flags.file, envFiles: flags['env-file'], environment: process.env, cwd: process.cwd() },
    ...(directory === undefined ? {} : { projectDirectory: directory }),
    // A project that is being written is good for names already.
    ...{ resolveEnvironment: false, checkConsistency: false, warn: () => {} },
  });
  const all = Object.entries({ ...disabledServices, ...services });
  if (kind === 'profile') {
    return [...new Set(all.flatMap(([, { profiles = [] }]) => profiles))].toSorted().map((value) => ({ value }));
  }
  return all.map(([value, { image }]) => (image === undefined ? { value } : { value, help: image }));
}
