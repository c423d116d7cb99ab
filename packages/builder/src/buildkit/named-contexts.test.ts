import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DefinitionMessage, definitionOf } from './definition.ts';
import { NamedContexts, type NamedContextsDeps } from './named-contexts.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

function contexts(given: Readonly<Record<string, string>>, inputs: Readonly<Record<string, DefinitionMessage>> = {}) {
  const unused = () => assert.fail('nothing is fetched by a name alone');
  const parts: Pick<NamedContextsDeps, 'given' | 'inputs' | 'layoutImage'> = { given, inputs, layoutImage: unused };
  // What a name stands for is found without them.
  return new NamedContexts({ ...parts, directories: undefined as never, results: { named: () => undefined } as never });
}

test('NamedContexts finds names as clients normalize them, and takes them for nothing else', async () => {
  const { source } = contexts({ 'context:alpine': 'docker-image://busybox', 'context:stage': 'local:stage' });
  for (const name of ['alpine', 'alpine:latest', 'docker.io/library/alpine', 'docker.io/library/alpine:latest']) {
    assert.equal((await source(name, amd64))?.image, 'busybox', name);
  }
  for (const name of ['alpine:3', 'other/alpine', 'h.example/alpine'])
    assert.equal(await source(name, amd64), undefined);
  assert.deepEqual((await source('stage', amd64))?.tree, {
    ...{ kind: 'context', context: 'stage', name: '[context stage] load from client' },
  });
});

test('NamedContexts puts the name of a platform before the name alone', async () => {
  const { source } = contexts({
    'context:base': 'docker-image://any',
    'context:base::linux/amd64': 'docker-image://special',
  });
  assert.equal((await source('base', amd64))?.image, 'special');
  assert.equal((await source('base', arm64))?.image, 'any');
});

test('NamedContexts reads repositories, archives and nothing at all', async () => {
  const { source } = contexts({
    'context:git': 'https://h.example/a.git#v1:sub',
    'context:scp': 'git@h.example:a.git',
    'context:tar': 'https://h.example/a.tar.gz',
    'context:empty': 'docker-image://scratch',
    'context:odd': 'gopher://x',
  });
  const git = (await source('git', amd64))?.tree;
  assert.equal(git?.kind === 'git' && git.reference.subdirectory, 'sub');
  assert.equal((await source('scp', amd64))?.tree?.kind, 'git');
  assert.equal((await source('tar', amd64))?.tree?.kind, 'http');
  assert.equal((await source('empty', amd64))?.tree, undefined);
  await assert.rejects(source('odd', amd64), { message: 'unsupported context source gopher for odd' });
});

test('NamedContexts reads what a client describes as a graph', async () => {
  const definition = definitionOf({
    identifier: 'git://h.example/a.git#v1',
    attrs: { 'git.fullurl': 'https://h.example/a.git' },
  }) as DefinitionMessage;
  const { source } = contexts({ 'context:far': 'input:far', 'context:lost': 'input:lost' }, { far: definition });
  const tree = (await source('far', amd64))?.tree;
  assert.equal(tree?.kind === 'git' && `${tree.reference.remote} ${tree.reference.ref}`, 'https://h.example/a.git v1');
  await assert.rejects(source('lost', amd64), { message: 'invalid input lost for lost' });
});
