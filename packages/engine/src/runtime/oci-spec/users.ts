import { WharfError } from '@wharf/kit';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

/** The files of the image that name users; `undefined` where the image has none. */
export interface UserDatabase {
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

interface PasswdLine {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupLine {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const LARGEST_ID = 2 ** 31 - 1;

/**
 * Resolves Docker's `--user` (`name|uid[:group|gid]`, empty is root) against the image's own files, and `--group-add`.
 * Throws `invalid-argument` in Docker's words (`unable to find user x: no matching entries in passwd file`).
 */
export function resolveUser(text: string, database: UserDatabase, groupAdd: readonly string[] = []): ResolvedUser {
  const [userPart = '', groupPart = ''] = text.split(':', 2);
  const passwd = parsePasswd(database.passwd);
  const groups = parseGroup(database.group);
  const entry = findUser(userPart, passwd);
  const number = idOf(userPart);
  if (userPart !== '' && entry === undefined && number === undefined) {
    throw new WharfError('invalid-argument', `unable to find user ${userPart}: no matching entries in passwd file`);
  }
  const uid = entry?.uid ?? number ?? 0;
  checkRange(uid);
  const gid = groupPart === '' ? (entry?.gid ?? 0) : groupId(groupPart, groups);
  const additional = new Set<number>();
  if (groupPart === '' && entry !== undefined) {
    for (const group of groups) if (group.members.includes(entry.name)) additional.add(group.gid);
  }
  for (const group of groupAdd) additional.add(groupId(group, groups));
  // runc and Docker list the primary group among the others since 23.0 (CVE-2022-36109).
  return {
    uid,
    gid,
    additionalGids: [...new Set([gid, ...additional])],
    home: entry?.home || (uid === 0 ? '/root' : '/'),
  };
}

function findUser(text: string, passwd: readonly PasswdLine[]): PasswdLine | undefined {
  if (text === '') return passwd.find(({ uid }) => uid === 0);
  const number = idOf(text);
  return passwd.find(({ name }) => name === text) ?? passwd.find(({ uid }) => uid === number);
}

function groupId(text: string, groups: readonly GroupLine[]): number {
  const number = idOf(text);
  const gid = groups.find(({ name }) => name === text)?.gid ?? number;
  if (gid === undefined) {
    throw new WharfError('invalid-argument', `unable to find group ${text}: no matching entries in group file`);
  }
  checkRange(gid);
  return gid;
}

function idOf(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function checkRange(id: number): void {
  if (id < 0 || id > LARGEST_ID)
    throw new WharfError('invalid-argument', `uids and gids must be in range 0-${LARGEST_ID}`);
}

function parsePasswd(text: string | undefined): readonly PasswdLine[] {
  return lines(text).map((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    return { name, uid: Number(uid || 0), gid: Number(gid || 0), home };
  });
}

function parseGroup(text: string | undefined): readonly GroupLine[] {
  return lines(text).map((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':');
    return { name, gid: Number(gid || 0), members: members.split(',').filter(Boolean) };
  });
}

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
