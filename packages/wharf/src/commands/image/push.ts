import { WharfError } from '@wharf/kit/errors';
import { familiarName, formatCanonical, formatFamiliar } from '@wharf/kit/reference';
import { defineCommand, exactly } from '../../cli/command.ts';
import { imagePath } from '../../images/image-path.ts';
import { type ProgressMessage, withLoginHint } from '../../images/progress/message.ts';
import { trustFlag, withoutTrust } from '../../images/trust-flag.ts';
import { printNote } from '../../term/note.ts';

/** `wharf push`: an image to a registry. */
export const push = defineCommand({
  usage: '[OPTIONS] NAME[:TAG]',
  description: 'Upload an image to a registry',
  flags: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Push all tags of an image to the repository' },
    'disable-content-trust': trustFlag('Skip image signing'),
    platform: {
      kind: 'string',
      help: `Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`,
    },
    quiet: { kind: 'bool', short: 'q', help: 'Suppress verbose output' },
  },
  args: exactly(1),
  complete: ['image'],
  examples: ['wharf push registry.example.org/team/app:1.2'],
  run: async (context) => {
    const { flags, out, err, signal } = context;
    const { 'all-tags': allTags, quiet } = flags;
    const [{ transferReference }, { DockerConfig }, { showTransfer }, { platformQuery }] = await Promise.all([
      import('../../images/pull.ts'),
      import('../../client-config/docker-config.ts'),
      import('../../images/progress/show-transfer.ts'),
      import('./platform.ts'),
    ]);
    const platform = await platformQuery(flags.platform);
    if (platform !== undefined) printNote(out, PLATFORM_NOTE);
    const reference = transferReference(context.args[0] ?? '', { allTags, quiet, out });
    withoutTrust(flags['disable-content-trust']);
    if (reference.digest !== undefined) {
      throw new WharfError('invalid-argument', 'cannot push a digest reference');
    }
    const daemon = await context.client();
    const notes: string[] = [];
    const messages = daemon.messages<ProgressMessage>('POST', imagePath(familiarName(reference), '/push'), {
      query: { tag: allTags ? undefined : reference.tag, platform },
      headers: { 'X-Registry-Auth': await new DockerConfig().registryAuth(reference.domain) },
      signal,
    });
    try {
      const onAux = (aux: unknown) => notes.push(...auxNotes(aux));
      await showTransfer(messages, { name: formatFamiliar(reference), out, quiet, onAux });
      if (quiet) out.line(formatCanonical(reference));
    } catch (error) {
      throw withLoginHint(error, reference.domain);
    } finally {
      for (const each of notes) printNote(quiet ? err : out, each);
    }
  },
});

const PLATFORM_NOTE = `Using --platform pushes only the specified platform manifest of a multi-platform image index.
Other components, like attestations, will not be included.
To push the complete multi-platform image, remove the --platform flag.
`;

interface Aux {
  readonly manifestPushedInsteadOfIndex?: boolean;
  readonly originalIndex?: { readonly digest?: string };
  readonly selectedManifest?: { readonly digest?: string };
  readonly contentMissing?: boolean;
}

/** What the daemon adds to a push of an image for several platforms. */
function auxNotes(aux: unknown): readonly string[] {
  const { manifestPushedInsteadOfIndex, originalIndex, selectedManifest, contentMissing } = (aux ?? {}) as Aux;
  return [
    ...(manifestPushedInsteadOfIndex === true
      ? [
          `Not all multiplatform-content is present and only the available single-platform image was pushed\n${originalIndex?.digest ?? ''} -> ${selectedManifest?.digest ?? ''}`,
        ]
      : []),
    ...(contentMissing === true
      ? [
          'The image is an index for several platforms, and not all of their content is here or in the registry.\nPush one platform alone with --platform.',
        ]
      : []),
  ];
}
