import { type Logger, messageOf } from '@wharf/kit';
import type { Directory } from '../access/directory.ts';
import { RETENTION_EVERY_MS } from '../limits.ts';
import type { Catalog } from '../model/catalog.ts';
import type { Extension } from '../plug/extension.ts';
import type { Pulls } from './pulls.ts';
import { applyRetention, forgetPulls } from './retention.ts';
import type { Trash } from './trash.ts';

/** Notes pulls, and every hour applies the rules and empties the trash of what is over. */
export function lifeOfImages(options: {
  readonly directory: Directory;
  readonly catalog: Catalog;
  readonly pulls: Pulls;
  readonly trash: Trash;
  readonly log: Logger;
}): Extension {
  const { catalog, pulls, trash, log } = options;
  let running: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    const { removed, kept } = await applyRetention(options, { dryRun: false });
    const purged = trash.purge();
    forgetPulls(catalog, pulls);
    await catalog.committed();
    if (removed.length + kept.length + purged > 0)
      log.info({ removed: removed.length, kept: kept.length, purged }, 'retention rules are applied');
  };
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => log.error({ error: messageOf(error) }, 'retention rules are not applied'))
      .finally(() => {
        running = undefined;
      });
  }, RETENTION_EVERY_MS).unref();
  return {
    name: 'life-of-images',
    pulled: ({ repository, digest, tag }) => pulls.pulled(repository, digest, tag),
    async close() {
      clearInterval(timer);
      await running;
      pulls.flush();
    },
  };
}
