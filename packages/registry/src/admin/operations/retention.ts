import { WharfError } from '@wharf/kit';
import { isPattern } from '../../access/pattern.ts';
import { MAX_RULES } from '../../limits.ts';
import { applyRetention } from '../../retention/retention.ts';
import { argumentOf, flagOf, invalid, notFound, numberOf, type Operation, textOf } from '../operation.ts';
import { changeNamespace, namespaceRecord } from './namespaces.ts';
import { readPattern } from './rights.ts';

export const retentionOperations: readonly Operation[] = [
  {
    name: 'retention list',
    arguments: [],
    options: {},
    help: 'Rules by which tags and images go by themselves',
    run: ({ directory }) =>
      directory.namespaces
        .list()
        .flatMap(({ key, value }) => (value.retention ?? []).map((rule) => ({ namespace: key, ...rule }))),
  },
  {
    name: 'retention add',
    arguments: ['namespace', 'repository'],
    options: {
      tags: 'text',
      'keep-last': 'number',
      'keep-pushed': 'duration',
      'keep-pulled': 'duration',
      untagged: 'duration',
    },
    help: 'Add a rule: `team "team/**" --tags "ci-*" --keep-last 10 --keep-pulled 30d`, or `team "team/**" --untagged 7d`',
    run({ directory }, input) {
      const name = argumentOf(input, 'namespace');
      const rules = namespaceRecord(directory, name).retention ?? [];
      const tags = textOf(input, 'tags');
      const fields = {
        ...{ keepLast: numberOf(input, 'keep-last'), keepPushedMs: numberOf(input, 'keep-pushed') },
        ...{ keepPulledMs: numberOf(input, 'keep-pulled'), untaggedMs: numberOf(input, 'untagged') },
      };
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
      const { untaggedMs, ...keeping } = given;
      if (tags !== undefined && !isPattern(tags)) throw invalid(`Cannot use the pattern "${tags}"`);
      if (
        tags === undefined
          ? untaggedMs === undefined || Object.keys(keeping).length > 0
          : Object.keys(keeping).length === 0
      )
        throw invalid(
          'Cannot add the rule: --tags goes with at least one of --keep-…, and without it there has to be --untagged',
        );
      if (rules.length >= MAX_RULES) throw new WharfError('resource-exhausted', `"${name}" has too many rules`);
      const id = 1 + Math.max(0, ...rules.map((rule) => rule.id));
      const rule = {
        id,
        repository: readPattern(argumentOf(input, 'repository'), name),
        ...(tags === undefined ? {} : { tags }),
        ...given,
      };
      changeNamespace(directory, name, { retention: [...rules, rule] });
      return { namespace: name, ...rule };
    },
  },
  {
    name: 'retention remove',
    arguments: ['namespace', 'id'],
    options: {},
    help: 'Remove a rule',
    run({ directory }, input) {
      const name = argumentOf(input, 'namespace');
      const id = argumentOf(input, 'id');
      const rules = namespaceRecord(directory, name).retention ?? [];
      const others = rules.filter((rule) => String(rule.id) !== id);
      if (others.length === rules.length) throw notFound('rule', id);
      changeNamespace(directory, name, { retention: others });
      return { namespace: name, removed: id };
    },
  },
  {
    name: 'retention run',
    arguments: [],
    options: { namespace: 'text', 'dry-run': 'flag' },
    help: 'Apply the rules now (they are applied every hour); --dry-run only says what would go',
    run: ({ directory, parts: { catalog }, pulls }, input) =>
      applyRetention(
        { directory, catalog, pulls },
        { dryRun: flagOf(input, 'dry-run') ?? false, namespace: textOf(input, 'namespace') },
      ),
  },
  {
    name: 'trash keep',
    arguments: ['namespace'],
    options: { for: 'duration', off: 'flag' },
    help: 'Keep what is deleted in a namespace for a while: --for 7d; --off ends it for later deletions',
    run({ directory }, input) {
      const name = argumentOf(input, 'namespace');
      const keepMs = numberOf(input, 'for');
      const { softDeleteMs: _, ...rest } = namespaceRecord(directory, name);
      if (keepMs !== undefined) return changeNamespace(directory, name, { softDeleteMs: keepMs });
      if (flagOf(input, 'off') !== true) throw invalid('Cannot set how long: neither --for nor --off is given');
      directory.namespaces.put(name, rest);
      return changeNamespace(directory, name, {});
    },
  },
  {
    name: 'trash list',
    arguments: [],
    options: {},
    help: 'What was deleted and can be restored',
    run: ({ trash }) =>
      trash.records.list().map(({ key, value }) => ({
        ...{ reference: key, tags: value.kind === 'manifest' ? value.tags : [], by: value.by },
        ...{ deleted: new Date(value.at).toISOString(), until: new Date(value.until).toISOString() },
      })),
  },
  {
    name: 'trash restore',
    arguments: ['reference'],
    options: {},
    help: 'Bring back a deleted repository@digest with its tags, or a repository:tag',
    run: ({ trash }, input) => trash.restore(argumentOf(input, 'reference')),
  },
  {
    name: 'trash purge',
    arguments: ['namespace'],
    options: {},
    help: 'Give up everything deleted in a namespace now; the next collection frees its bytes',
    run: ({ trash }, input) => ({ purged: trash.purge(argumentOf(input, 'namespace')) }),
  },
];
