import type { DockerClient } from '@wharf/wire/docker-client/client';
import { byteSize } from '../../build/view/text.ts';
import { defineCommand, exactly, noArguments } from '../../cli/command.ts';
import { UsageError } from '../../cli/errors.ts';
import type { Output } from '../../cli/output.ts';
import { printColumns } from '../print-columns.ts';

const PATH = '/wharf/builder/caches';

interface Row {
  readonly ID: string;
  readonly Size: number;
  readonly InUse: boolean;
  readonly LastUsedAt: string;
}

/** `wharf builder cache ls`: the directories behind `RUN --mount=type=cache`. */
export const cacheLs = defineCommand({
  usage: '',
  flags: {},
  args: noArguments,
  json: true,
  run: async (context) => list(await context.client(), context.json),
});

/** `wharf builder cache export NAME`. */
export const cacheExport = defineCommand({
  usage: 'NAME',
  flags: {},
  args: exactly(1),
  examples: ['wharf builder cache export npm >npm.tar'],
  complete: ['builder-cache', 'none'],
  run: async (context) => exportCache(await context.client(), context.args[0] ?? '', context.out),
});

/** `wharf builder cache import NAME`. */
export const cacheImport = defineCommand({
  usage: 'NAME',
  flags: {},
  args: exactly(1),
  examples: ['ssh other wharf builder cache import npm <npm.tar'],
  complete: ['builder-cache', 'none'],
  run: async (context) => importCache(await context.client(), context.args[0] ?? ''),
});

async function list(daemon: DockerClient, json: boolean): Promise<number> {
  const rows = await daemon.json<readonly Row[]>('GET', PATH);
  if (json) console.log(JSON.stringify(rows, null, 2));
  else {
    printColumns([
      ['NAME', 'SIZE', 'IN USE', 'LAST USED'],
      ...rows.map(({ ID, Size, InUse, LastUsedAt }) => [ID, byteSize(Size), InUse ? 'yes' : 'no', LastUsedAt]),
    ]);
  }
  return 0;
}

async function exportCache(daemon: DockerClient, name: string, out: Output): Promise<number> {
  if (out.isTerminal) {
    throw new UsageError('refusing to write an archive to the terminal', `wharf builder cache export ${name} >FILE`);
  }
  const { body } = await daemon.stream('GET', `${PATH}/archive`, { query: { id: name } });
  for await (const chunk of body) out.write(chunk);
  return 0;
}

async function importCache(daemon: DockerClient, name: string): Promise<number> {
  if (process.stdin.isTTY) {
    throw new UsageError('there is no archive on standard input', `wharf builder cache import ${name} <FILE`);
  }
  await daemon.text('POST', `${PATH}/archive`, {
    query: { id: name },
    headers: { 'content-type': 'application/x-tar' },
    body: process.stdin as AsyncIterable<Uint8Array>,
  });
  return 0;
}
