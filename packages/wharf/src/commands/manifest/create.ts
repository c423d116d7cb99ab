import { messageOf, WharfError } from '@wharf/kit/errors';
import { formatCanonical, type Reference } from '@wharf/kit/reference';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { manifestReference } from '../../manifests/image-manifest.ts';
import { ManifestListStore } from '../../manifests/list-store.ts';
import { RemoteManifests } from '../../manifests/remote-manifests.ts';

/** `wharf manifest create`: a list of images for several platforms, on this machine. */
export const create = defineCommand({
  usage: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
  description: 'Create a local manifest list for annotating and pushing to a registry',
  flags: {
    amend: { kind: 'bool', short: 'a', help: 'Amend an existing manifest list' },
    insecure: { kind: 'bool', help: 'Allow communication with an insecure registry' },
  },
  args: atLeast(2),
  examples: ['wharf manifest create r.example.org/app:1 r.example.org/app:1-amd64 r.example.org/app:1-arm64'],
  run: async (context) => {
    const [name = '', ...images] = context.args;
    const list = listReference(name);
    const store = new ManifestListStore(context.configDirectory);
    if (store.has(list) && !context.flags.amend) {
      throw new WharfError('already-exists', 'refusing to amend an existing manifest list with no --amend flag');
    }
    using remote = new RemoteManifests({ insecure: context.flags.insecure, signal: context.signal });
    for (const text of images) {
      const reference = manifestReference(text);
      const known = store.get(list, reference);
      store.put(list, reference, known?.Raw === undefined ? await remote.image(reference) : known);
    }
    context.out.line(`Created manifest list ${formatCanonical(list)}`);
  },
});

function listReference(text: string): Reference {
  try {
    return manifestReference(text);
  } catch (cause) {
    const message = `error parsing name for manifest list ${text}: ${messageOf(cause)}`;
    throw new WharfError('invalid-argument', message, { cause });
  }
}
