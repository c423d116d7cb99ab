import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCanonical, isKind } from '@wharf/kit';
import type { ImageInspect, ImageSummary } from '@wharf/wire/docker/types';
import { SearchQuery } from '@wharf/wire/http/query';
import type { ApiRequest } from '@wharf/wire/http/route';
import { decodePlatform, platformsOf, pullReference, repoTagReference } from './image-parameters.ts';
import { shapeInspect, shapeSummary } from './image-shapes.ts';

function request(minor: number, query = ''): ApiRequest {
  const made: Pick<ApiRequest, 'atLeast' | 'query'> = { atLeast: (n) => minor >= n, query: new SearchQuery(query) };
  // The functions under test read these two members only.
  return made as ApiRequest;
}

const image: ImageInspect = {
  Id: 'sha256:a',
  RepoTags: [],
  RepoDigests: [],
  Parent: '',
  Comment: '',
  Created: undefined,
  DockerVersion: '',
  Author: '',
  Config: { Cmd: ['sh'] },
  Architecture: 'amd64',
  Os: 'linux',
  Size: 5,
  GraphDriver: { Data: null, Name: 'overlayfs' },
  RootFS: { Type: 'layers' },
  Metadata: {},
  Descriptor: { mediaType: 'm', digest: 'sha256:a', size: 1 },
};

test('shapeInspect() shows what each API version showed', () => {
  const keys = (minor: number) => Object.keys(shapeInspect(image, request(minor)));
  const added = (older: number, newer: number) =>
    keys(older)
      .filter((key) => !keys(newer).includes(key))
      .sort();
  assert.deepEqual(added(43, 44), ['Created', 'VirtualSize']);
  assert.deepEqual(added(44, 45), ['Container', 'ContainerConfig']);
  assert.deepEqual(
    keys(48).filter((key) => !keys(47).includes(key)),
    ['Descriptor'],
  );
  assert.deepEqual(added(51, 52), ['Author', 'Comment', 'DockerVersion', 'GraphDriver', 'Parent']);
  const config = (minor: number) => (shapeInspect(image, request(minor)) as { Config: object }).Config;
  assert.deepEqual(config(52), { Cmd: ['sh'] });
  assert.deepEqual(Object.keys(config(51)).length, 8);
  assert.deepEqual(Object.keys(config(49)).length, 17);
});

test('shapeSummary() names the nameless for old clients and hides what they do not know', () => {
  const row: ImageSummary = {
    Id: 'sha256:a',
    ParentId: '',
    RepoTags: [],
    RepoDigests: [],
    Created: 0,
    Size: 5,
    SharedSize: -1,
    Labels: {},
    Containers: 2,
    Descriptor: { mediaType: 'm', digest: 'sha256:a', size: 1 },
  };
  const old = shapeSummary(row, request(42)) as ImageSummary;
  assert.deepEqual(
    [old.RepoTags, old.RepoDigests, old.VirtualSize, old.Containers, old.Descriptor],
    [['<none>:<none>'], ['<none>@<none>'], 5, -1, undefined],
  );
  const recent = shapeSummary(row, request(51)) as ImageSummary;
  assert.deepEqual([recent.RepoTags, recent.VirtualSize, recent.Containers], [[], undefined, 2]);
});

test('decodePlatform() refuses half platforms', () => {
  assert.deepEqual(decodePlatform('{"os":"linux","architecture":"arm64","variant":"v8"}'), {
    os: 'linux',
    architecture: 'arm64',
  });
  for (const json of ['', 'x', '[]', '{}', '{"os":"linux"}', '{"variant":"v8"}']) {
    assert.throws(
      () => decodePlatform(json),
      (error) => isKind(error, 'invalid-argument'),
      json,
    );
  }
});

test('platformsOf() takes several platforms from 1.52 on', () => {
  const platform = encodeURIComponent('{"os":"linux","architecture":"amd64"}');
  assert.deepEqual(platformsOf(request(47, `platform=${platform}`)), []);
  assert.equal(platformsOf(request(48, `platform=${platform}`)).length, 1);
  assert.throws(
    () => platformsOf(request(51, `platform=${platform}&platform=${platform}`)),
    /multiple platform parameters/,
  );
  assert.equal(platformsOf(request(52, `platform=${platform}&platform=${platform}`)).length, 2);
});

test('repoTagReference() and pullReference() read names as Docker does', () => {
  const text = (repository: string, tag: string) => {
    const reference = repoTagReference(repository, tag);
    return reference === undefined ? undefined : formatCanonical(reference);
  };
  assert.equal(text('', 'x'), undefined);
  assert.equal(text('a', ''), 'docker.io/library/a:latest');
  assert.equal(text('a:1', ''), 'docker.io/library/a:1');
  assert.equal(text('a:1', '2'), 'docker.io/library/a:2');
  assert.throws(() => text('a', 'b c'), /invalid tag format/);
  assert.throws(() => text(`a@sha256:${'0'.repeat(64)}`, ''), /cannot import digest reference/);
  assert.equal(formatCanonical(pullReference('a:', '')), 'docker.io/library/a');
  assert.equal(
    formatCanonical(pullReference('a', `sha256:${'0'.repeat(64)}`)),
    `docker.io/library/a@sha256:${'0'.repeat(64)}`,
  );
});
