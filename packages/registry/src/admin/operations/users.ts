import { randomBytes } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import type { Directory } from '../../access/directory.ts';
import type { UserRecord } from '../../access/records.ts';
import { hashPassword, hashSecret, makeSecret } from '../../access/secrets.ts';
import { MAX_ACCOUNTS, MAX_TOKENS_PER_USER } from '../../limits.ts';
import { argumentOf, flagOf, invalid, notFound, numberOf, type Operation, textOf } from '../operation.ts';
import { readRights } from './rights.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const MIN_PASSWORD = 8;

async function hashed(password: string | undefined): Promise<string> {
  if (password === undefined) throw invalid('Cannot set the password: none is given (--password-stdin)');
  if (password.length < MIN_PASSWORD || password.length > 1024)
    throw invalid(`Cannot set the password: it has to have ${MIN_PASSWORD} to 1024 characters`);
  return hashPassword(password);
}

function found(directory: Directory, name: string): UserRecord {
  const user = directory.users.get(name.slice(0, 128));
  if (user === undefined) throw notFound('user', name);
  return user;
}

/** Whoever has a password has to change it before a change is done, so the change is made on what is there then. */
function change(directory: Directory, name: string, fields: Partial<UserRecord>): object {
  const user = { ...found(directory, name), ...fields };
  directory.users.put(name, user);
  return shown(name, user);
}

function shown(name: string, { isAdmin, isDisabled, createdAt }: UserRecord): object {
  return { name, admin: isAdmin, disabled: isDisabled, created: new Date(createdAt).toISOString() };
}

export const userOperations: readonly Operation[] = [
  {
    name: 'users list',
    arguments: [],
    options: {},
    help: 'Who has an account',
    run: ({ directory }) => directory.users.list().map(({ key, value }) => shown(key, value)),
  },
  {
    name: 'users add',
    arguments: ['name'],
    options: { admin: 'flag', password: 'secret' },
    help: 'Make an account; --admin may do everything. From the first one on, access is controlled',
    async run({ directory }, input) {
      const name = argumentOf(input, 'name');
      if (!NAME.test(name))
        throw invalid(`Cannot add the user "${name}": a name has letters, digits and ._@-, at most 64`);
      const password = await hashed(textOf(input, 'password'));
      if (directory.users.get(name) !== undefined)
        throw new WharfError('already-exists', `Cannot add the user "${name}": there is one of that name`);
      if (directory.users.size >= MAX_ACCOUNTS)
        throw new WharfError('resource-exhausted', 'Cannot add a user: there are too many');
      const user = {
        password,
        isAdmin: flagOf(input, 'admin') ?? false,
        isDisabled: false,
        createdAt: directory.now(),
      };
      directory.users.put(name, user);
      return shown(name, user);
    },
  },
  {
    name: 'users password',
    arguments: ['name'],
    options: { password: 'secret' },
    help: 'Set a new password; logins made with the old one end',
    async run({ directory }, input) {
      const name = argumentOf(input, 'name');
      found(directory, name);
      const password = await hashed(textOf(input, 'password'));
      return directory.transaction(() => {
        dropTokens(directory, name, 'refresh');
        return change(directory, name, { password });
      });
    },
  },
  {
    name: 'users set',
    arguments: ['name'],
    options: { admin: 'flag', disabled: 'flag' },
    help: 'Change an account: --admin, --no-admin, --disabled, --no-disabled',
    run({ directory }, input) {
      const isAdmin = flagOf(input, 'admin');
      const isDisabled = flagOf(input, 'disabled');
      return change(directory, argumentOf(input, 'name'), {
        ...(isAdmin === undefined ? {} : { isAdmin }),
        ...(isDisabled === undefined ? {} : { isDisabled }),
      });
    },
  },
  {
    name: 'users remove',
    arguments: ['name'],
    options: {},
    help: 'Remove an account with its tokens and memberships',
    run({ directory }, input) {
      const name = argumentOf(input, 'name');
      found(directory, name);
      if (directory.users.size === 1)
        throw new WharfError(
          'failed-precondition',
          `Cannot remove "${name}": without any user the registry would be open to all`,
        );
      directory.transaction(() => {
        directory.users.delete(name);
        dropTokens(directory, name);
        // A later user of that name must not inherit anything.
        for (const { key, value } of directory.namespaces.list()) {
          const { [name]: role, ...members } = value.members;
          const grants = value.grants.filter(({ user }) => user !== name);
          if (role !== undefined || grants.length < value.grants.length)
            directory.namespaces.put(key, { ...value, members, grants });
        }
      });
      return { removed: name };
    },
  },
];

function dropTokens(directory: Directory, owner: string, kind?: 'refresh'): void {
  for (const { key, value } of directory.tokens.list())
    if (value.owner === owner && (kind === undefined || value.kind === kind)) directory.tokens.delete(key);
}

export const tokenOperations: readonly Operation[] = [
  {
    name: 'tokens list',
    arguments: [],
    options: { user: 'text' },
    help: 'Personal access tokens and logins, without their secrets',
    run({ directory }, input) {
      const owner = textOf(input, 'user');
      const all = directory.tokens.list().filter(({ value }) => owner === undefined || value.owner === owner);
      return all.map(({ key, value }) => ({
        ...{ id: key, user: value.owner, kind: value.kind, description: value.description },
        rights: value.limit ?? ['pull', 'push', 'delete'],
        created: new Date(value.createdAt).toISOString(),
        expires: value.expiresAt === undefined ? null : new Date(value.expiresAt).toISOString(),
      }));
    },
  },
  {
    name: 'tokens create',
    arguments: ['user'],
    options: { expires: 'duration', rights: 'list', description: 'text' },
    help: 'Make a token that logs in as its user, shown once; --expires 30d, --rights pull,push',
    run({ directory }, input) {
      const owner = argumentOf(input, 'user');
      found(directory, owner);
      const own = directory.tokens.list().filter(({ value }) => value.owner === owner && value.kind === 'personal');
      if (own.length >= MAX_TOKENS_PER_USER)
        throw new WharfError('resource-exhausted', `"${owner}" has too many tokens`);
      const id = randomBytes(8).toString('hex');
      const secret = makeSecret();
      const limit = readRights(input, 'rights');
      const lifeMs = numberOf(input, 'expires');
      const createdAt = directory.now();
      directory.tokens.put(id, {
        ...{ kind: 'personal', owner, secret: hashSecret(secret), createdAt },
        description: (textOf(input, 'description') ?? '').slice(0, 200),
        ...(limit === undefined ? {} : { limit }),
        ...(lifeMs === undefined ? {} : { expiresAt: createdAt + lifeMs }),
      });
      return { id, user: owner, token: `wharf_${id}_${secret}` };
    },
  },
  {
    name: 'tokens revoke',
    arguments: ['id'],
    options: {},
    help: 'End a token, and the logins made with it',
    run({ directory }, input) {
      const id = argumentOf(input, 'id');
      directory.transaction(() => {
        if (!directory.tokens.delete(id)) throw notFound('token', id);
        for (const { key, value } of directory.tokens.list()) if (value.parent === id) directory.tokens.delete(key);
      });
      return { revoked: id };
    },
  },
];
