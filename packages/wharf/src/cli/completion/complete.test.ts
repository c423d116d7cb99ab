import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyArguments, defineCommand, type Group } from '../command.ts';
import { complete } from './complete.ts';

const run = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND]',
  args: anyArguments,
  interspersed: false,
  flags: {
    env: { kind: 'list', short: 'e', help: 'Set a variable' },
    hidden: { kind: 'bool', help: '', hidden: true },
    network: { kind: 'string', help: 'Connect to a network\nor more', complete: 'network' },
    pull: { kind: 'string', help: 'Pull', complete: ['always', 'missing', 'never'] },
    tty: { kind: 'bool', short: 't', help: 'A terminal' },
  },
  complete: ['image', 'none'],
  run: () => Promise.resolve(0),
});
const cp = defineCommand({ usage: 'FROM TO', flags: {}, args: anyArguments, complete: ['file'], run: async () => {} });

const root: Group = {
  name: 'wharf',
  help: '',
  commands: [
    {
      name: 'container',
      help: 'Containers',
      commands: [{ name: 'run', help: 'Run', load: () => Promise.resolve(run) }],
    },
    { name: 'cp', help: 'Copy', load: () => Promise.resolve(cp) },
    { name: 'run', help: 'Run', load: () => Promise.resolve(run) },
    { name: 'rumble', help: 'Nothing', hidden: true, load: () => Promise.resolve(run) },
  ],
};

async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { candidates, files } = await complete(root, words, (kind, { globals }) =>
    Promise.resolve([{ value: `${kind}-1` }, { value: `${kind}-2` }, { value: String(globals['host']) }]),
  );
  return [...candidates.map(({ value }) => value), ...(files === undefined ? [] : [`:${files}`])];
}

test('complete() offers commands at every level, without hidden ones', async () => {
  assert.deepEqual(await offered(''), ['container', 'cp', 'run']);
  assert.deepEqual(await offered('ru'), ['run']);
  assert.deepEqual(await offered('container', ''), ['run']);
  assert.deepEqual(await offered('-H', 'x', 'help', 'container', ''), ['run']);
  assert.deepEqual(await offered('nothing', ''), []);
  assert.deepEqual(await offered('container', 'nothing', ''), []);
});

test('complete() offers flags with their values, in both spellings', async () => {
  assert.deepEqual(await offered('run', '--'), ['--env', '--network', '--pull', '--tty', '--help']);
  assert.deepEqual(await offered('run', '--pull', 'n'), ['never']);
  assert.deepEqual(await offered('run', '--pull=m'), ['--pull=missing']);
  assert.deepEqual(await offered('run', '--network', 'network-'), ['network-1', 'network-2']);
  assert.deepEqual(await offered('run', '-te', 'A'), []);
  assert.deepEqual(await offered('--log-l'), ['--log-level']);
  assert.deepEqual(await offered('--log-level', 'd'), ['debug']);
});

test('complete() offers names for the argument whose turn it is, asked with the flags of the line', async () => {
  assert.deepEqual(await offered('-H', 'unix:///x', 'run', '-e', 'A', '-t', ''), ['image-1', 'image-2', 'unix:///x']);
  assert.deepEqual(await offered('run', 'image', ''), []);
  assert.deepEqual(await offered('run', '--', 'image-'), ['image-1', 'image-2']);
  assert.deepEqual(await offered('cp', ''), [':file']);
  assert.deepEqual(await offered('cp', 'x', ''), [':file']);
});
