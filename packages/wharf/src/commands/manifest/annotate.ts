import { messageOf, WharfError } from '@wharf/kit/errors';
import type { Reference } from '@wharf/kit/reference';
import { defineCommand, exactly } from '../../cli/command.ts';
import { manifestReference, orderedPlatform } from '../../manifests/image-manifest.ts';
import { ManifestListStore } from '../../manifests/list-store.ts';

/** What Go knows of systems and processors; docker takes no other pair. */
const PAIRS: Readonly<Record<string, readonly string[]>> = {
  darwin: ['386', 'amd64', 'arm', 'arm64'],
  dragonfly: ['amd64'],
  freebsd: ['386', 'amd64', 'arm'],
  linux: ['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'mips64', 'mips64le', 'riscv64', 's390x'],
  netbsd: ['386', 'amd64', 'arm'],
  openbsd: ['386', 'amd64', 'arm'],
  plan9: ['386', 'amd64'],
  solaris: ['amd64'],
  windows: ['386', 'amd64'],
};

/** `wharf manifest annotate`: what a list says of one of its images. */
export const annotate = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
  description: 'Add additional information to a local image manifest',
  flags: {
    arch: { kind: 'string', default: '', help: 'Set architecture' },
    os: { kind: 'string', default: '', help: 'Set operating system' },
    'os-features': { kind: 'strings', help: 'Set operating system feature' },
    'os-version': { kind: 'string', default: '', help: 'Set operating system version' },
    variant: { kind: 'string', default: '', help: 'Set architecture variant' },
  },
  args: exactly(2),
  examples: ['wharf manifest annotate --arch arm --variant v7 r.example.org/app:1 r.example.org/app:1-arm'],
  run: async ({ args, flags, configDirectory }) => {
    const [list = '', image = ''] = args;
    const [listName, imageName] = [parse(list, 'manifest list'), parse(image, 'manifest')];
    const store = new ManifestListStore(configDirectory);
    const manifest = store.get(listName, imageName);
    if (manifest === undefined) {
      throw new WharfError('not-found', `manifest for image ${image} does not exist in ${list}`);
    }
    const old = orderedPlatform(manifest.Descriptor.platform ?? {});
    const version = flags['os-version'] || old['os.version'];
    const platform = orderedPlatform({
      architecture: flags.arch || old.architecture,
      os: flags.os || old.os,
      ...(version === undefined ? {} : { 'os.version': version }),
      'os.features': [...new Set([...(old['os.features'] ?? []), ...flags['os-features']])],
      variant: flags.variant || (old.variant ?? ''),
    });
    if (PAIRS[platform.os]?.includes(platform.architecture) !== true) {
      const pair = `${flags.os}/${flags.arch}`;
      throw new WharfError('invalid-argument', `manifest entry for image has unsupported os/arch combination: ${pair}`);
    }
    store.put(listName, imageName, { ...manifest, Descriptor: { ...manifest.Descriptor, platform } });
  },
});

function parse(text: string, what: string): Reference {
  try {
    return manifestReference(text);
  } catch (cause) {
    const message = `annotate: error parsing name for ${what} ${text}: ${messageOf(cause)}`;
    throw new WharfError('invalid-argument', message, { cause });
  }
}
