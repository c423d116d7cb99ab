const groups: readonly (readonly string[])[] = [
  ['rw', 'ro'],
  ['z', 'Z'],
  ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'],
  ['nocopy'],
  ['idmap'],
  ['consistent', 'cached', 'delegated', 'default'],
];
const propagations: readonly string[] = groups[2] ?? [];

export const DEFAULT_PROPAGATION = 'rprivate';

/** True for the third part of a `-v` specification (`ro,z,rshared`): known words, one of each kind at most. */
export function isMountMode(mode: string): boolean {
  if (mode === '') return true;
  const used = new Set<readonly string[]>();
  for (const word of mode.split(',')) {
    const group = groups.find((words) => words.includes(word));
    if (group === undefined || used.has(group)) return false;
    used.add(group);
  }
  return true;
}

export function isReadOnlyMode(mode: string): boolean {
  return mode.split(',').includes('ro');
}

export function isNoCopyMode(mode: string): boolean {
  return mode.split(',').includes('nocopy');
}

/** Not Docker's: `idmap` shows what belongs to the source's owner as the container's user's. */
export function isIdMappedMode(mode: string): boolean {
  return mode.split(',').includes('idmap');
}

/** The propagation word of a mode, `undefined` when it has none. */
export function propagationOf(mode: string): string | undefined {
  return mode.split(',').find(isPropagation);
}

export function isPropagation(word: string): boolean {
  return propagations.includes(word);
}
