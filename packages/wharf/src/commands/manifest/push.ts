import { parseDigest } from '@wharf/kit/digest';
import { WharfError } from '@wharf/kit/errors';
import { formatCanonical, parseReference, type Reference, trimReference } from '@wharf/kit/reference';
import { defineCommand, exactly } from '../../cli/command.ts';
import {
  blobsOf,
  bytesOf,
  checkPlatforms,
  type ImageManifest,
  isSameRepository,
  listDocument,
  manifestReference,
} from '../../manifests/image-manifest.ts';
import { ManifestListStore } from '../../manifests/list-store.ts';
import { RemoteManifests } from '../../manifests/remote-manifests.ts';

/** `wharf manifest push`: a list, with what its repository lacks of it. */
export const push = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST',
  description: 'Push a manifest list to a repository',
  flags: {
    insecure: { kind: 'bool', help: 'Allow push to an insecure registry' },
    purge: { kind: 'bool', short: 'p', help: 'Remove the local manifest list after push' },
  },
  args: exactly(1),
  examples: ['wharf manifest push --purge r.example.org/app:1'],
  run: async (context) => {
    const target = manifestReference(context.args[0] ?? '');
    const store = new ManifestListStore(context.configDirectory);
    const manifests = store.list(target);
    if (manifests.length === 0) throw new WharfError('not-found', `${formatCanonical(target)} not found`);
    checkPlatforms(manifests);
    const { mediaType, text } = listDocument(target, manifests);
    using remote = new RemoteManifests({ insecure: context.flags.insecure, signal: context.signal });
    const foreign = manifests.filter(({ Ref }) => !isSameRepository(parseReference(Ref), target));
    for (const manifest of foreign) await mountBlobs(remote, target, manifest);
    for (const manifest of foreign) {
      const reference = { ...trimReference(target), digest: parseDigest(manifest.Descriptor.digest) };
      const digest = await remote.put(reference, {
        mediaType: manifest.Descriptor.mediaType,
        bytes: bytesOf(manifest),
      });
      context.out.line(`Pushed ref ${formatCanonical(reference)} with digest: ${digest}`);
    }
    context.out.line(await remote.put(target, { mediaType, bytes: Buffer.from(text) }));
    if (context.flags.purge) store.remove(target);
  },
});

async function mountBlobs(remote: RemoteManifests, target: Reference, manifest: ImageManifest): Promise<void> {
  const from = parseReference(manifest.Ref).path;
  for (const digest of blobsOf(manifest)) await remote.mount(target, from, digest);
}
