import { messageOf } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { manifestReference } from '../../manifests/image-manifest.ts';
import { ManifestListStore } from '../../manifests/list-store.ts';

/** `wharf manifest rm`. */
export const rm = defineCommand({
  usage: 'MANIFEST_LIST [MANIFEST_LIST...]',
  description: 'Delete one or more manifest lists from local storage',
  flags: {},
  args: atLeast(1),
  examples: ['wharf manifest rm r.example.org/app:1'],
  run: async ({ args, configDirectory }) => {
    const store = new ManifestListStore(configDirectory);
    const problems: string[] = [];
    for (const text of args) {
      try {
        const reference = manifestReference(text);
        store.list(reference);
        store.remove(reference);
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    if (problems.length > 0) throw new ExitError(1, problems.join('\n'));
  },
});
