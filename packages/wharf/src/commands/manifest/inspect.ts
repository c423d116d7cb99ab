import { between, defineCommand } from '../../cli/command.ts';
import { bytesOf, type ImageManifest, listDocument, manifestReference } from '../../manifests/image-manifest.ts';
import { ManifestListStore, missing } from '../../manifests/list-store.ts';
import { RemoteManifests } from '../../manifests/remote-manifests.ts';
import { indentJson } from '../../term/json-text.ts';

/** `wharf manifest inspect`: a manifest of a registry, or a list of this machine. */
export const inspect = defineCommand({
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  description: 'Display an image manifest, or manifest list',
  flags: {
    insecure: { kind: 'bool', help: 'Allow communication with an insecure registry' },
    verbose: { kind: 'bool', short: 'v', help: 'Output additional info including layers and platform' },
  },
  args: between(1, 2),
  examples: ['wharf manifest inspect debian:trixie-slim'],
  run: async (context) => {
    const { flags, args, out } = context;
    const reference = manifestReference(args.at(-1) ?? '');
    const store = new ManifestListStore(context.configDirectory);
    const find = async (): Promise<ImageManifest | readonly ImageManifest[]> => {
      if (args.length === 2) {
        const found = store.get(manifestReference(args[0] ?? ''), reference);
        if (found === undefined) throw missing(reference);
        return found;
      }
      if (store.has(reference)) return store.list(reference);
      using remote = new RemoteManifests({ insecure: flags.insecure, signal: context.signal });
      return await remote.inspect(reference);
    };
    const found = await find();
    if (flags.verbose) out.line(JSON.stringify(found, null, '\t'));
    else if (isOne(found)) out.line(indentJson(bytesOf(found).toString('utf8'), '\t'));
    else out.line(listDocument(reference, found).text);
  },
});

function isOne(found: ImageManifest | readonly ImageManifest[]): found is ImageManifest {
  return !Array.isArray(found);
}
