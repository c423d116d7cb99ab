import { messageOf } from '@wharf/kit';
import type { Directory } from '../access/directory.ts';
import type { Catalog } from '../model/catalog.ts';
import { namespaceOf } from '../names.ts';
import type { Identity } from '../plug/access.ts';
import { slices } from '../upkeep/slices.ts';
import type { Pulls } from './pulls.ts';
import { planRetention, type Removal } from './rules.ts';

/** In whose name rules remove. */
const RETENTION: Identity = { name: 'system:retention', anonymous: false, allows: () => true };

export interface RetentionReport {
  readonly dryRun: boolean;
  readonly removed: readonly Removal[];
  /** What a rule would remove and a lock keeps. */
  readonly kept: readonly Removal[];
}

/** Applies the rules of all namespaces, or of one, beside everything else. With `dryRun` it only says what would go. */
export async function applyRetention(
  { directory, catalog, pulls }: { readonly directory: Directory; readonly catalog: Catalog; readonly pulls: Pulls },
  { dryRun, namespace }: { readonly dryRun: boolean; readonly namespace?: string | undefined },
): Promise<RetentionReport> {
  const removed: Removal[] = [];
  const kept: Removal[] = [];
  const yieldNow = slices();
  const lastPull = (key: string): number | undefined => pulls.lastPull(key);
  for (const { key: repository } of catalog.repositories.list(namespace ?? '')) {
    await yieldNow();
    const own = namespaceOf(repository);
    if (namespace !== undefined && own !== namespace) continue;
    const rules = directory.namespaces.get(own)?.retention ?? [];
    // Planned and done in one turn for each repository, so that nobody's push comes between.
    for (const removal of planRetention({ catalog, lastPull, now: directory.now() }, repository, rules)) {
      const why = dryRun ? undefined : remove(catalog, removal);
      if (why === undefined) removed.push(removal);
      else kept.push({ ...removal, why });
    }
  }
  await catalog.committed();
  return { dryRun, removed, kept };
}

/** Why it could not be removed; `undefined` when it is gone. */
function remove(catalog: Catalog, { repository, tag, digest }: Removal): string | undefined {
  try {
    if (tag === undefined) catalog.deleteManifest({ repository, digest, identity: RETENTION });
    else catalog.deleteTag({ repository, tag, identity: RETENTION });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Forgets when things were pulled that are gone. */
export function forgetPulls(catalog: Catalog, pulls: Pulls): void {
  for (const { key } of pulls.records.list())
    if (catalog.manifests.entry(key) === undefined && catalog.tags.entry(key) === undefined) pulls.records.delete(key);
}
