import type { Digest } from '@wharf/kit';
import { matches } from '../access/pattern.ts';
import type { RetentionRule } from '../access/records.ts';
import type { Catalog } from '../model/catalog.ts';
import { digestKey, tagKey } from '../model/indices.ts';
import type { TagRecord } from '../model/records.ts';

export interface Removal {
  readonly repository: string;
  /** A tag alone, or a manifest. */
  readonly tag?: string;
  readonly digest: Digest;
  readonly why: string;
}

interface Facts {
  readonly catalog: Catalog;
  readonly lastPull: (key: string) => number | undefined;
  readonly now: number;
}

type Tag = TagRecord & { readonly tag: string };

/**
 * What the rules of a namespace would remove from one of its repositories.
 *
 * A tag that fits no rule stays. One that fits some stays if any of them keeps it: it is among the last `keepLast` set, was set within
 * `keepPushedMs`, or pulled within `keepPulledMs`. Who was never pulled counts as pulled when it was set. Manifests without tags, which no
 * index names and no living subject has, go by `untaggedMs` after they were pushed or pulled.
 */
export function planRetention(facts: Facts, repository: string, rules: readonly RetentionRule[]): readonly Removal[] {
  const own = rules.filter((rule) => matches(rule.repository, repository));
  if (own.length === 0) return [];
  return [
    ...tagRemovals(
      facts,
      repository,
      own.filter(({ tags }) => tags !== undefined),
    ),
    ...untaggedRemovals(facts, repository, own),
  ];
}

function tagRemovals(facts: Facts, repository: string, rules: readonly RetentionRule[]): readonly Removal[] {
  if (rules.length === 0) return [];
  const prefix = `${repository}:`;
  const tags: readonly Tag[] = facts.catalog.tags
    .list(prefix)
    .map(({ key, value }) => ({ ...value, tag: key.slice(prefix.length) }))
    .sort((one, other) => other.at - one.at);
  const fitting = new Set<string>();
  const kept = new Set<string>();
  for (const rule of rules) {
    const matching = tags.filter(({ tag }) => matches(rule.tags ?? '', tag));
    for (const [place, each] of matching.entries()) {
      fitting.add(each.tag);
      if (keeps(facts, rule, repository, each, place)) kept.add(each.tag);
    }
  }
  return tags
    .filter(({ tag }) => fitting.has(tag) && !kept.has(tag))
    .map(({ tag, digest }) => ({ repository, tag, digest, why: 'no rule keeps the tag' }));
}

function keeps({ now, lastPull }: Facts, rule: RetentionRule, repository: string, tag: Tag, place: number): boolean {
  const { keepLast, keepPushedMs, keepPulledMs } = rule;
  if (keepLast !== undefined && place < keepLast) return true;
  if (keepPushedMs !== undefined && now - tag.at < keepPushedMs) return true;
  const used = Math.max(tag.at, lastPull(tagKey(repository, tag.tag)) ?? 0);
  return keepPulledMs !== undefined && now - used < keepPulledMs;
}

function untaggedRemovals(facts: Facts, repository: string, rules: readonly RetentionRule[]): readonly Removal[] {
  const waits = rules.flatMap(({ untaggedMs }) => (untaggedMs === undefined ? [] : [untaggedMs]));
  if (waits.length === 0) return [];
  const waitMs = Math.max(...waits);
  const { catalog, lastPull, now } = facts;
  const prefix = `${repository}@`;
  return catalog.manifests.list(prefix).flatMap(({ key, value }) => {
    const digest = key.slice(prefix.length) as Digest;
    const isSubjectThere = value.subject !== undefined && catalog.manifest(repository, value.subject) !== undefined;
    const used = Math.max(value.at, lastPull(digestKey(repository, digest)) ?? 0);
    if (catalog.tagsOf(repository, digest).length > 0 || isSubjectThere || catalog.isNeeded(repository, digest))
      return [];
    return now - used < waitMs ? [] : [{ repository, digest, why: 'it has no tag' }];
  });
}
