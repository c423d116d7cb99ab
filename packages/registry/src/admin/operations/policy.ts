import { isDigest, WharfError } from '@wharf/kit';
import { isPattern } from '../../access/pattern.ts';
import { MAX_RULES } from '../../limits.ts';
import { isRepositoryName, isTag, namespaceOf } from '../../names.ts';
import { lockTable } from '../../policy/locks.ts';
import { argumentOf, flagOf, invalid, notFound, numberOf, type Operation, textOf } from '../operation.ts';
import { changeNamespace, namespaceRecord } from './namespaces.ts';
import { readPattern } from './rights.ts';

/** Throws `invalid-argument` for what is neither `repository`, `repository:tag` nor `repository@digest`. */
function checkedReference(text: string): string {
  const [, repository = '', mark, rest = ''] = /^([^:@]+)(?:([:@])(.+))?$/.exec(text) ?? [];
  const fits = mark === undefined || (mark === ':' ? isTag(rest) : isDigest(rest));
  if (isRepositoryName(repository) && fits) return text;
  throw invalid(`Cannot use "${text}": it has to be a repository, a repository:tag or a repository@digest`);
}

export const policyOperations: readonly Operation[] = [
  {
    name: 'quota',
    arguments: ['namespace'],
    options: { bytes: 'bytes', unlimited: 'flag' },
    help: 'How many bytes a namespace may hold: --bytes 50GiB, or --unlimited',
    run({ directory, parts }, input) {
      const name = argumentOf(input, 'namespace');
      const bytes = numberOf(input, 'bytes');
      const { quotaBytes: _, ...rest } = namespaceRecord(directory, name);
      if (bytes !== undefined) changeNamespace(directory, name, { quotaBytes: bytes });
      else if (flagOf(input, 'unlimited') === true) directory.namespaces.put(name, rest);
      const quotaBytes = namespaceRecord(directory, name).quotaBytes ?? null;
      return { namespace: name, quotaBytes, usedBytes: parts.catalog.bytesOfNamespace(name) };
    },
  },
  {
    name: 'usage',
    arguments: [],
    options: { namespace: 'text' },
    help: 'Bytes, manifests and tags of each repository, and of the namespaces',
    run({ directory, parts: { catalog } }, input) {
      const wanted = textOf(input, 'namespace');
      const names = catalog.repositories.list().map(({ key }) => key);
      const shown = names.filter((name) => wanted === undefined || namespaceOf(name) === wanted);
      const namespaces = [...new Set(shown.map(namespaceOf))].map((name) => ({
        ...{ name, bytes: catalog.bytesOfNamespace(name) },
        quotaBytes: directory.namespaces.get(name)?.quotaBytes ?? null,
      }));
      const repositories = shown.map((name) => ({
        ...{ name, bytes: catalog.bytesOf(name) },
        manifests: catalog.manifests.list(`${name}@`).length,
        tags: catalog.tags.list(`${name}:`).length,
      }));
      return { namespaces, repositories };
    },
  },
  {
    name: 'locks list',
    arguments: [],
    options: {},
    help: 'What is locked, and tags that are set once',
    run: ({ directory, parts: { store } }) => ({
      locks: lockTable(store)
        .list()
        .map(({ key, value }) => ({ reference: key, ...value })),
      immutable: directory.namespaces
        .list()
        .flatMap(({ key, value }) => (value.immutable ?? []).map((each) => ({ namespace: key, ...each }))),
    }),
  },
  {
    name: 'locks set',
    arguments: ['reference'],
    options: { write: 'flag', delete: 'flag' },
    help: 'Lock a repository, a repository:tag or a repository@digest: --write, --delete, --no-write, --no-delete',
    run({ parts: { store } }, input) {
      const reference = checkedReference(argumentOf(input, 'reference'));
      const locks = lockTable(store);
      const before = locks.get(reference) ?? { write: false, delete: false };
      const lock = { write: flagOf(input, 'write') ?? before.write, delete: flagOf(input, 'delete') ?? before.delete };
      if (lock.write || lock.delete) locks.put(reference, lock);
      else locks.delete(reference);
      return { reference, ...lock };
    },
  },
  {
    name: 'locks immutable',
    arguments: ['namespace', 'repository', 'tag'],
    options: { remove: 'flag' },
    help: 'Tags that are set once: `team "team/**" "v*"`; --remove takes the rule back',
    run({ directory }, input) {
      const name = argumentOf(input, 'namespace');
      const repository = readPattern(argumentOf(input, 'repository'), name);
      const tag = argumentOf(input, 'tag');
      if (!isPattern(tag))
        throw invalid(`Cannot use the pattern "${tag}": it has to hold the characters of tags and * only`);
      const rules = namespaceRecord(directory, name).immutable ?? [];
      const others = rules.filter((rule) => rule.repository !== repository || rule.tag !== tag);
      if (flagOf(input, 'remove') !== true) {
        if (others.length >= MAX_RULES) throw new WharfError('resource-exhausted', `"${name}" has too many rules`);
        return changeNamespace(directory, name, { immutable: [...others, { repository, tag }] });
      }
      if (others.length === rules.length) throw notFound('rule for', `${repository}:${tag}`);
      return changeNamespace(directory, name, { immutable: others });
    },
  },
];
