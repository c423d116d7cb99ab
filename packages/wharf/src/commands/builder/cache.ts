import { pipeline } from 'node:stream/promises';
import { byteSize } from '../../build/view/text.ts';
import { defineCommand, exactly, noArguments } from '../../cli/command.ts';
import { UsageError } from '../../cli/errors.ts';
import { askDaemon, daemonError } from '../../daemon-json.ts';
import { call, type Endpoint } from '../../endpoint.ts';
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
  run: (context) => list(context.endpoint(), context.json),
});

/** `wharf builder cache export NAME`. */
export const cacheExport = defineCommand({
  usage: 'NAME',
  flags: {},
  args: exactly(1),
  examples: ['wharf builder cache export npm >npm.tar'],
  complete: ['builder-cache', 'none'],
  run: (context) => exportCache(context.endpoint(), context.args[0] ?? ''),
});

/** `wharf builder cache import NAME`. */
export const cacheImport = defineCommand({
  usage: 'NAME',
  flags: {},
  args: exactly(1),
  examples: ['ssh other wharf builder cache import npm <npm.tar'],
  complete: ['builder-cache', 'none'],
  run: (context) => importCache(context.endpoint(), context.args[0] ?? ''),
});

async function list(endpoint: Endpoint, json: boolean): Promise<number> {
  const rows = (await askDaemon(endpoint, { path: PATH })) as readonly Row[];
  if (json) console.log(JSON.stringify(rows, null, 2));
  else {
    printColumns([
      ['NAME', 'SIZE', 'IN USE', 'LAST USED'],
      ...rows.map(({ ID, Size, InUse, LastUsedAt }) => [ID, byteSize(Size), InUse ? 'yes' : 'no', LastUsedAt]),
    ]);
  }
  return 0;
}

async function exportCache(endpoint: Endpoint, name: string): Promise<number> {
  if (process.stdout.isTTY) {
    throw new UsageError('refusing to write an archive to the terminal', `wharf builder cache export ${name} >FILE`);
  }
  const { status, body } = await call(endpoint, { path: `${PATH}/archive?id=${encodeURIComponent(name)}` });
  if (status !== 200) {
    let text = '';
    for await (const chunk of body) text += chunk.toString('utf8');
    throw daemonError(text);
  }
  await pipeline(body, process.stdout);
  return 0;
}

async function importCache(endpoint: Endpoint, name: string): Promise<number> {
  if (process.stdin.isTTY) {
    throw new UsageError('there is no archive on standard input', `wharf builder cache import ${name} <FILE`);
  }
  await askDaemon(endpoint, {
    method: 'POST',
    path: `${PATH}/archive?id=${encodeURIComponent(name)}`,
    headers: { 'content-type': 'application/x-tar' },
    body: process.stdin as AsyncIterable<Uint8Array>,
  });
  return 0;
}
