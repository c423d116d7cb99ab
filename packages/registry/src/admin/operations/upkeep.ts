import { tryParseReference, withDefaultTag } from '@wharf/kit';
import { isRepositoryName } from '../../names.ts';
import type { ScrubReport } from '../../upkeep/scrub.ts';
import { argumentOf, flagOf, invalid, type Operation, textOf } from '../operation.ts';

export const upkeepOperations: readonly Operation[] = [
  {
    name: 'gc',
    arguments: [],
    options: { 'dry-run': 'flag' },
    help: 'Remove what no image needs, beside everything else; --dry-run tells what that would be',
    async run({ upkeep }, input) {
      const dryRun = flagOf(input, 'dry-run') ?? false;
      return { dryRun, ...(await upkeep().collect({ dryRun })) };
    },
  },
  {
    name: 'verify',
    arguments: [],
    options: { repair: 'flag' },
    help: 'Compare every blob with its digest, beside everything else; --repair takes damaged ones out. Status 1 if there are any',
    isLong: true,
    isBad: (result) => (result as ScrubReport).damaged.length > 0,
    run({ upkeep }, input, { signal, report }) {
      return upkeep().verify({ repair: flagOf(input, 'repair') ?? false, signal, onProgress: report });
    },
  },
  {
    name: 'import',
    arguments: ['source', 'repository'],
    options: { 'all-tags': 'flag', referrers: 'flag', username: 'text', password: 'secret', insecure: 'flag' },
    help: 'Copy an image, or --all-tags, of another registry: `quay.io/org/app:1 team/app`; --referrers brings signatures along',
    isLong: true,
    async run({ parts, upstreams }, input, { signal, report }) {
      const source = tryParseReference(argumentOf(input, 'source'));
      if (source === undefined) throw invalid(`Cannot import "${argumentOf(input, 'source')}": that names no image`);
      const repository = argumentOf(input, 'repository');
      if (!isRepositoryName(repository)) throw invalid(`Cannot import into "${repository}": that names no repository`);
      const account = {
        ...{ username: textOf(input, 'username'), password: textOf(input, 'password') },
        insecure: flagOf(input, 'insecure'),
      };
      const { importImages } = await import('../../upstream/import.ts');
      return importImages({
        ...{ parts, upstreams, account, repository, by: 'system:import' },
        source: withDefaultTag(source),
        allTags: flagOf(input, 'all-tags') ?? false,
        referrers: flagOf(input, 'referrers') ?? false,
        signal,
        onProgress: (soFar) => report({ ...soFar }),
      });
    },
  },
];
