import { WharfError } from '@wharf/kit';
import type { Directory } from '../../access/directory.ts';
import type { NamespaceRecord, Role } from '../../access/records.ts';
import { MAX_ACCOUNTS, MAX_RULES } from '../../limits.ts';
import { isRepositoryName, namespaceOf } from '../../names.ts';
import { argumentOf, flagOf, type Input, invalid, notFound, type Operation, textOf } from '../operation.ts';
import { readPattern, readRights } from './rights.ts';

export function namespaceRecord(directory: Directory, name: string): NamespaceRecord {
  const found = directory.namespaces.get(name.slice(0, 255));
  if (found === undefined) throw notFound('namespace', name);
  return found;
}

export function changeNamespace(directory: Directory, name: string, fields: Partial<NamespaceRecord>): object {
  const changed = { ...namespaceRecord(directory, name), ...fields };
  if (changed.grants.length > MAX_RULES || Object.keys(changed.members).length > MAX_RULES)
    throw new WharfError('resource-exhausted', `Cannot change "${name}": it has too many members or grants`);
  directory.namespaces.put(name, changed);
  return shown(name, changed);
}

function shown(name: string, record: NamespaceRecord): object {
  const { createdAt, softDeleteMs, ...rest } = record;
  return { name, created: new Date(createdAt).toISOString(), ...rest, softDeleteSeconds: (softDeleteMs ?? 0) / 1000 };
}

function existingUser(directory: Directory, input: Input): string {
  const user = argumentOf(input, 'user');
  if (directory.users.get(user.slice(0, 128)) === undefined) throw notFound('user', user);
  return user;
}

export const namespaceOperations: readonly Operation[] = [
  {
    name: 'namespaces list',
    arguments: [],
    options: {},
    help: 'Namespaces (the first parts of repository names), with who may do what in them',
    run: ({ directory }) => directory.namespaces.list().map(({ key, value }) => shown(key, value)),
  },
  {
    name: 'namespaces add',
    arguments: ['name'],
    options: { 'anonymous-pull': 'flag' },
    help: 'Make a namespace; --anonymous-pull lets everybody pull',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      if (!isRepositoryName(name) || namespaceOf(name) !== name)
        throw invalid(`Cannot add the namespace "${name}": it has to be the first part of repository names`);
      if (directory.namespaces.get(name) !== undefined)
        throw new WharfError('already-exists', `Cannot add the namespace "${name}": there is one of that name`);
      if (directory.namespaces.size >= MAX_ACCOUNTS)
        throw new WharfError('resource-exhausted', 'Cannot add a namespace: there are too many');
      const anonymousPull = flagOf(input, 'anonymous-pull') ?? false;
      directory.namespaces.put(name, { createdAt: directory.now(), anonymousPull, members: {}, grants: [] });
      return shown(name, namespaceRecord(directory, name));
    },
  },
  {
    name: 'namespaces set',
    arguments: ['name'],
    options: { 'anonymous-pull': 'flag' },
    help: 'Change a namespace: --anonymous-pull, --no-anonymous-pull',
    run({ directory }, input) {
      const anonymousPull = flagOf(input, 'anonymous-pull');
      return changeNamespace(
        directory,
        argumentOf(input, 'name'),
        anonymousPull === undefined ? {} : { anonymousPull },
      );
    },
  },
  {
    name: 'namespaces remove',
    arguments: ['name'],
    options: {},
    help: 'Forget the members, rules and robots of a namespace; its repositories stay, for administrators only',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      namespaceRecord(directory, name);
      directory.transaction(() => {
        directory.namespaces.delete(name);
        for (const { key } of directory.robots.list(`${name}+`)) directory.robots.delete(key);
      });
      return { removed: name };
    },
  },
  {
    name: 'namespaces member',
    arguments: ['name', 'user', 'role'],
    options: {},
    help: 'Give a user a role: reader (pull), writer (and push), admin (and delete), none',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      const user = existingUser(directory, input);
      const role = argumentOf(input, 'role');
      const { [user]: _before, ...others } = namespaceRecord(directory, name).members;
      if (role === 'none') return changeNamespace(directory, name, { members: others });
      if (!isRole(role)) throw invalid(`Cannot give the role "${role}": there are reader, writer, admin and none`);
      return changeNamespace(directory, name, { members: { ...others, [user]: role } });
    },
  },
  {
    name: 'namespaces grant',
    arguments: ['name', 'user', 'repository'],
    options: { rights: 'list' },
    help: 'Give a user rights on some repositories: `team alice team/web --rights pull,push`; no rights take them back',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      const user = existingUser(directory, input);
      const repository = readPattern(textOf(input, 'repository') ?? '', name);
      const rights = readRights(input, 'rights') ?? [];
      const others = namespaceRecord(directory, name).grants.filter(
        (each) => each.user !== user || each.repository !== repository,
      );
      return changeNamespace(directory, name, {
        grants: rights.length === 0 ? others : [...others, { user, repository, rights }],
      });
    },
  },
];

function isRole(text: string): text is Role {
  return text === 'reader' || text === 'writer' || text === 'admin';
}
