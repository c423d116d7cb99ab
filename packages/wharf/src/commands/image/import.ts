import { parseReference } from '@wharf/kit/reference';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { openFile } from '../../images/open-file.ts';
import { printDockerLines } from '../../images/progress/docker-lines.ts';
import type { ProgressMessage } from '../../images/progress/message.ts';

/** `wharf import`: an image of one layer from an archive of files. */
export const importImage = defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  description: 'Import the contents from a tarball to create a filesystem image',
  flags: {
    change: { kind: 'list', short: 'c', help: 'Apply Dockerfile instruction to the created image' },
    message: { kind: 'string', short: 'm', help: 'Set commit message for imported image' },
    platform: { kind: 'string', help: 'Set platform if server is multi-platform capable' },
  },
  args: atLeast(1),
  complete: ['file', 'none'],
  examples: ['wharf import root.tar base:1', 'tar -C root -c . | wharf import --change \'CMD ["/bin/sh"]\' - base:1'],
  run: async (context) => {
    const { flags, out, signal } = context;
    const [source = '', name = ''] = context.args;
    const isRemote = /^https?:\/\//.test(source);
    const body = isRemote
      ? undefined
      : source === '-'
        ? (process.stdin as AsyncIterable<Uint8Array>)
        : await openFile(source);
    if (name !== '') parseReference(name);
    const platform = flags.platform ?? process.env['DOCKER_DEFAULT_PLATFORM'];
    const messages = (await context.client()).messages<ProgressMessage>('POST', '/images/create', {
      query: {
        fromSrc: isRemote ? source : '-',
        repo: name || undefined,
        message: flags.message || undefined,
        platform: platform ? platform.toLowerCase() : undefined,
        changes: flags.change,
      },
      headers: { 'Content-Type': 'text/plain' },
      body,
      signal,
    });
    await printDockerLines(messages, out);
  },
});
