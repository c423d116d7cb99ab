import { WharfError } from '@wharf/kit';

/**
 * The permissions that `--chmod` makes of a file's present ones: an octal number, or chmod(1)'s symbolic form
 * (`u+x,go-w,a=rX`). No umask is looked at. Throws `invalid-argument`.
 */
export function changeMode(text: string, mode: number, isDirectory: boolean): number {
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8) & 0o7777;
  let result = mode & 0o7777;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
    if (match === null) throw new WharfError('invalid-argument', `invalid chmod parameter: '${text}'`);
    const [, who = '', operations = ''] = match;
    for (const [, operator = '', permissions = ''] of operations.matchAll(/([-+=])([rwxXstugo]*)/g)) {
      result = apply(result, who === '' ? 'a' : who, operator, permissions, isDirectory);
    }
  }
  return result;
}

function apply(mode: number, who: string, operator: string, permissions: string, isDirectory: boolean): number {
  const everyone = who.includes('a');
  const classes = [
    { applies: everyone || who.includes('u'), shift: 6, special: 0o4000 },
    { applies: everyone || who.includes('g'), shift: 3, special: 0o2000 },
    { applies: everyone || who.includes('o'), shift: 0, special: 0 },
  ].filter(({ applies }) => applies);
  let bits = 0;
  let covered = 0;
  for (const { shift, special } of classes) {
    bits |= triple(permissions, mode, isDirectory) << shift;
    if (permissions.includes('s')) bits |= special;
    covered |= (0o7 << shift) | special;
  }
  if (permissions.includes('t')) bits |= 0o1000;
  if (everyone) covered |= 0o1000;
  if (operator === '+') return mode | bits;
  return operator === '-' ? mode & ~bits : (mode & ~covered) | bits;
}

function triple(permissions: string, mode: number, isDirectory: boolean): number {
  let bits = 0;
  if (permissions.includes('r')) bits |= 4;
  if (permissions.includes('w')) bits |= 2;
  if (permissions.includes('x') || (permissions.includes('X') && (isDirectory || (mode & 0o111) !== 0))) bits |= 1;
  if (permissions.includes('u')) bits |= (mode >> 6) & 7;
  if (permissions.includes('g')) bits |= (mode >> 3) & 7;
  if (permissions.includes('o')) bits |= mode & 7;
  return bits;
}
