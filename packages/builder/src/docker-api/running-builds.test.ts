import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningBuilds } from './running-builds.ts';

const until = (signal: AbortSignal) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve(String(signal.reason))));

test('cancel() ends the build of that id, and no other', async () => {
  const builds = new RunningBuilds();
  const given = new AbortController();
  const one = builds.run('one', given.signal, until);
  const two = builds.run('two', given.signal, until);
  builds.cancel('one');
  builds.cancel('one');
  builds.cancel('three');
  assert.match(await one, /context canceled/);
  given.abort('gone');
  assert.equal(await two, 'gone');
});

test('run() leaves a build without an id to its client', async () => {
  const builds = new RunningBuilds();
  const given = new AbortController();
  const build = builds.run('', given.signal, until);
  builds.cancel('');
  given.abort('gone');
  assert.equal(await build, 'gone');
});
