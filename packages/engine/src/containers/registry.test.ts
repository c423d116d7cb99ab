import assert from 'node:assert/strict';
import test from 'node:test';
import { openMemoryStore } from '@wharf/store';
import type { ProcessStreams } from '../streams/process-streams.ts';
import type { ContainerRecord } from './container.ts';
import { LiveContainer } from './live.ts';
import { Registry } from './registry.ts';

const idA = `aa${'1'.repeat(62)}`;
const idB = `aa${'2'.repeat(62)}`;

function make(id: string, name: string): LiveContainer {
  const record = { id, name, state: {} } as unknown as ContainerRecord;
  return new LiveContainer(record, {} as ProcessStreams);
}

function filled(): Registry {
  const registry = new Registry(openMemoryStore());
  for (const live of [make(idA, 'one'), make(idB, 'two')]) {
    registry.add(live);
    registry.save(live, live.record);
  }
  return registry;
}

test('find() takes an id, a name with or without slash, and an unambiguous prefix', () => {
  const registry = filled();
  assert.equal(registry.find(idA)?.id, idA);
  assert.equal(registry.find('one')?.id, idA);
  assert.equal(registry.find('/two')?.id, idB);
  assert.equal(registry.find('aa1')?.id, idA);
  assert.equal(registry.find('bb'), undefined);
});

test('find() refuses an ambiguous prefix', () => {
  assert.throws(() => filled().find('aa'), {
    kind: 'invalid-argument',
    message: 'multiple IDs found with provided prefix: aa',
  });
});

test('get() says which container is missing', () => {
  assert.throws(() => filled().get('nope'), { kind: 'not-found', message: 'No such container: nope' });
});

test('reserveName() refuses a name in use, in words that clients match', () => {
  assert.throws(() => filled().reserveName('one', idB), {
    kind: 'conflict',
    message: `Conflict. The container name "/one" is already in use by container "${idA}". You have to remove (or rename) that container to be able to reuse that name.`,
  });
});

test('reserveName() refuses a malformed name', () => {
  assert.throws(() => filled().reserveName('a b', idA), /Invalid container name \(a b\), only/);
});

test('delete() frees id and name at once and forgets the record', () => {
  const registry = filled();
  registry.delete(registry.get('one'));
  assert.equal(registry.find(idA), undefined);
  assert.equal(registry.isNameFree('one'), true);
  assert.deepEqual(
    registry.stored().map(({ id }) => id),
    [idB],
  );
});

test('save() keeps nothing of a container that is gone', () => {
  const registry = filled();
  const live = registry.get('one');
  registry.delete(live);
  registry.save(live, live.record);
  assert.equal(registry.stored().length, 1);
});
