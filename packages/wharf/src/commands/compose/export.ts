import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { findContainer, nameOf } from './containers.ts';
import { checkArguments } from './count.ts';
import { INDEX_FLAG } from './index-flag.ts';
import { ComposeSession } from './session.ts';

export const exportContainer = defineCommand({
  usage: '[OPTIONS] SERVICE',
  description: "Export a service container's filesystem as a tar archive",
  flags: {
    ...INDEX_FLAG,
    output: { kind: 'string', short: 'o', default: '', help: 'Write to a file, instead of STDOUT', complete: 'file' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose export -o web.tar web'],
  run: async (context) => {
    const { flags, args } = context;
    checkArguments(args, { least: 1 });
    const [service = ''] = args;
    const { output, index } = flags;
    const session = new ComposeSession(context);
    const client = await session.client();
    const project = await session.projectName();
    await session.withProgress('Exporting', async (view) => {
      const container = await findContainer(
        client,
        { project, service, index, all: false, oneOff: 'include' },
        session.signal,
      );
      if (output === '' && context.out.isTerminal) {
        throw new ExitError(
          1,
          'output option is required when exporting to terminal',
          'Give -o FILE, or lead it into a pipe.',
        );
      }
      await checkDirectory(output);
      const id = nameOf(container);
      const text = `export ${id} to ${output}`;
      view.event({ id, text, status: 'working', statusText: 'Exporting' });
      const { body } = await client.stream('GET', `/containers/${container.Id}/export`, { signal: session.signal });
      if (output === '') for await (const chunk of body) context.out.write(chunk);
      else await writeWhole(output, body);
    });
  },
});

async function checkDirectory(output: string): Promise<void> {
  if (output === '') return;
  const directory = dirname(output);
  const status = await stat(directory).catch(() => undefined);
  if (status?.isDirectory() !== true) {
    throw new ExitError(
      1,
      `failed to export container: invalid output path: directory ${JSON.stringify(directory)} does not exist`,
    );
  }
}

/** The file is there when all of it is. */
async function writeWhole(path: string, body: AsyncIterable<Buffer>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    for await (const chunk of body) await file.write(chunk);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
