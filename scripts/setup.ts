import { aptInstall } from './lib/apt.ts';
import { type Requirement, RUNTIME_REQUIREMENTS, TEST_REQUIREMENTS } from './lib/requirements.ts';

/**
 * Installs by apt what the daemon (and, with `tests`, the tests) miss on this machine, and says what it does.
 * Idempotent; costs a few file lookups when all is there. Returns the names it installed.
 */
export async function setUp(options: { readonly tests?: boolean } = {}): Promise<readonly string[]> {
  const wanted: readonly Requirement[] = options.tests
    ? [...RUNTIME_REQUIREMENTS, ...TEST_REQUIREMENTS]
    : RUNTIME_REQUIREMENTS;
  const missing = wanted.filter((requirement) => !requirement.present());
  if (missing.length === 0) return [];
  for (const { name, why } of missing) console.log(`setup: ${name} is missing (${why})`);
  const names = missing.map(({ name }) => name);
  console.log(`setup: apt-get install ${names.join(' ')}`);
  await aptInstall(names);
  const absent = missing.filter((requirement) => !requirement.present());
  if (absent.length > 0)
    throw new Error(
      `apt-get installed ${absent.map(({ name }) => name).join(', ')}, but the programs are still not there`,
    );
  return names;
}

if (import.meta.main) {
  const installed = await setUp({ tests: process.argv.includes('--tests') });
  if (installed.length === 0) console.log('setup: everything is there');
}
