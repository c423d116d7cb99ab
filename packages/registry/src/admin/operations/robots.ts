import { WharfError } from '@wharf/kit';
import type { RobotRecord } from '../../access/records.ts';
import { hashSecret, makeSecret } from '../../access/secrets.ts';
import { MAX_ACCOUNTS, MAX_RULES } from '../../limits.ts';
import { argumentOf, invalid, listOf, notFound, numberOf, type Operation, textOf } from '../operation.ts';
import { namespaceRecord } from './namespaces.ts';
import { readPattern, readRights, wholeNamespace } from './rights.ts';

/** All but the secret. */
function shown(name: string, robot: RobotRecord): object {
  const { namespace, description, isDisabled, permissions, createdAt, expiresAt } = robot;
  const expires = expiresAt === undefined ? null : new Date(expiresAt).toISOString();
  const created = new Date(createdAt).toISOString();
  return { name, namespace, description, isDisabled, permissions, created, expires };
}

export const robotOperations: readonly Operation[] = [
  {
    name: 'robots list',
    arguments: [],
    options: { namespace: 'text' },
    help: 'Accounts of machines',
    run({ directory }, input) {
      const namespace = textOf(input, 'namespace');
      const all = directory.robots.list(namespace === undefined ? '' : `${namespace}+`);
      return all.map(({ key, value }) => shown(key, value));
    },
  },
  {
    name: 'robots create',
    arguments: ['namespace', 'name'],
    options: { rights: 'list', repository: 'list', expires: 'duration', description: 'text' },
    help: 'Make a machine an account `namespace+name`, its secret shown once; --rights pull,push --repository team/web --expires 90d',
    run({ directory }, input) {
      const namespace = argumentOf(input, 'namespace');
      const short = argumentOf(input, 'name');
      namespaceRecord(directory, namespace);
      if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(short))
        throw invalid(`Cannot create the robot "${short}": a name has a-z, 0-9 and ._-`);
      const name = `${namespace}+${short}`;
      if (directory.robots.get(name) !== undefined)
        throw new WharfError('already-exists', `Cannot create the robot "${name}": there is one of that name`);
      const rights = readRights(input, 'rights') ?? ['pull'];
      const patterns = listOf(input, 'repository')?.map((text) => readPattern(text, namespace)) ?? [];
      if (directory.robots.size >= MAX_ACCOUNTS || patterns.length > MAX_RULES)
        throw new WharfError('resource-exhausted', 'Cannot create a robot: there are too many, or too many patterns');
      const secret = makeSecret();
      const createdAt = directory.now();
      const lifeMs = numberOf(input, 'expires');
      const record: RobotRecord = {
        ...{ namespace, secret: hashSecret(secret), createdAt, isDisabled: false },
        description: (textOf(input, 'description') ?? '').slice(0, 200),
        permissions:
          patterns.length === 0
            ? wholeNamespace(namespace, rights)
            : patterns.map((repository) => ({ repository, rights })),
        ...(lifeMs === undefined ? {} : { expiresAt: createdAt + lifeMs }),
      };
      directory.robots.put(name, record);
      return { ...shown(name, record), secret };
    },
  },
  {
    name: 'robots rotate',
    arguments: ['name'],
    options: {},
    help: 'Give a robot (`namespace+name`) a new secret, shown once; the old one ends',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      const robot = directory.robots.get(name);
      if (robot === undefined) throw notFound('robot', name);
      const secret = makeSecret();
      directory.robots.put(name, { ...robot, secret: hashSecret(secret) });
      return { name, secret };
    },
  },
  {
    name: 'robots remove',
    arguments: ['name'],
    options: {},
    help: 'Remove a robot (`namespace+name`)',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      if (!directory.robots.delete(name)) throw notFound('robot', name);
      return { removed: name };
    },
  },
];
