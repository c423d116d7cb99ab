import { formatCanonical } from '@wharf/kit/reference';
import { defineCommand, exactly } from '../../cli/command.ts';
import { trustFlag, withoutTrust } from '../../images/trust-flag.ts';

/** `wharf pull`: an image from a registry. */
export const pull = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  description: 'Download an image from a registry',
  flags: {
    'all-tags': { kind: 'bool', short: 'a', help: 'Download all tagged images in the repository' },
    'disable-content-trust': trustFlag('Skip image verification'),
    platform: { kind: 'string', help: 'Set platform if server is multi-platform capable' },
    quiet: { kind: 'bool', short: 'q', help: 'Suppress verbose output' },
  },
  args: exactly(1),
  complete: ['image'],
  examples: ['wharf pull debian:trixie-slim', 'wharf pull --platform linux/arm64 alpine'],
  run: async (context) => {
    const { flags, out, signal } = context;
    const { pullImage, transferReference } = await import('../../images/pull.ts');
    const { 'all-tags': allTags, quiet } = flags;
    const reference = transferReference(context.args[0] ?? '', { allTags, quiet, out });
    withoutTrust(flags['disable-content-trust']);
    const platform = flags.platform ?? process.env['DOCKER_DEFAULT_PLATFORM'];
    await pullImage({ daemon: await context.client(), reference, allTags, platform, quiet, out, signal });
    out.line(formatCanonical(reference));
  },
});
