import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, parseDigest } from '@wharf/kit';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { planBuild } from '../plan/plan.ts';
import type { BaseImage } from '../plan/vertex.ts';
import { BuildCapture } from './capture.ts';
import { lowLevelSteps } from './low-level.ts';
import { attestOptions } from './options.ts';
import { imageUrl, packageUrl } from './package-url.ts';
import { provenanceOf } from './provenance.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const digest = parseDigest(`sha256:${'a'.repeat(64)}`);

function image(reference: string): BaseImage {
  const config = { os: 'linux', architecture: 'amd64', config: {}, rootfs: { type: 'layers' as const, diff_ids: [] } };
  // A layer, or it would be the same as nothing.
  const diffIds = [digest as string as BaseImage['diffIds'][number]];
  return { reference, digest, config, platform, chainId: '', diffIds, layers: [] };
}

const FILE = `FROM base:1 AS one
RUN --mount=type=secret,id=key,required --mount=type=ssh --mount=type=cache,target=/c make
FROM base:1
ADD https://user:word@files.invalid/x.tar /x
COPY --from=one /out /out
COPY . /src
`;

async function planned(text = FILE) {
  return planBuild(parseDockerfile(text), {
    ...{ buildArgs: new Map(), buildPlatform: platform, targetPlatform: platform, labels: {}, noCache: false },
    resolveImage: (reference) => Promise.resolve(image(reference)),
  });
}

async function statement(attest: string, attrs: Readonly<Record<string, string>> = {}) {
  const { provenance } = attestOptions({ 'attest:provenance': attest });
  assert.ok(provenance);
  const plan = await planned();
  const capture = new BuildCapture();
  const quiet = { started: () => {}, output: () => {}, done: () => {} };
  const observer = capture.watch(quiet);
  for (const { vertex } of lowLevelSteps(plan.target.tree)) {
    if (vertex.kind !== 'http') continue;
    observer.done(vertex, { cached: false, result: { kind: 'directory', path: '/', pin: `sha256:${'b'.repeat(64)}` } });
  }
  const build = {
    attrs: {
      'build-arg:A': 'b',
      'label:l': 'm',
      'vcs:source': 'https://u:p@git.invalid/r.git',
      platform: 'x',
      ...attrs,
    },
    dockerfile: { filename: 'Dockerfile', text: FILE },
    ...{ invocation: 'ref', startedAtNs: 0n, finishedAtNs: 1_000_000_000n, dockerfileVersion: '1', plan },
    ingredients: capture.ingredients(plan),
  };
  return provenanceOf(build, provenance);
}

test('provenanceOf() names what went in, once each, with digests and without passwords', async () => {
  const { predicateType, predicate, fileName } = await statement('mode=max');
  assert.equal(predicateType, 'https://slsa.dev/provenance/v1');
  assert.equal(fileName, 'provenance.json');
  const { buildDefinition, runDetails } = predicate as {
    readonly buildDefinition: {
      readonly resolvedDependencies: unknown;
      readonly externalParameters: { readonly request: unknown };
    };
    readonly runDetails: { readonly metadata: Readonly<Record<string, unknown>> };
  };
  assert.deepEqual(buildDefinition.resolvedDependencies, [
    { uri: 'https://user:xxxxx@files.invalid/x.tar', digest: { sha256: 'b'.repeat(64) } },
    { uri: 'pkg:docker/base@1?platform=linux%2Famd64', digest: { sha256: 'a'.repeat(64) } },
  ]);
  assert.deepEqual(buildDefinition.externalParameters.request, {
    frontend: 'dockerfile.v0',
    args: { 'build-arg:A': 'b', 'label:l': 'm' },
    secrets: [{ id: 'key' }],
    ssh: [{ id: 'default', optional: true }],
    locals: [{ name: 'context' }, { name: 'dockerfile' }],
  });
  const { metadata } = runDetails;
  assert.equal(metadata['invocationId'], 'ref');
  assert.equal(metadata['startedOn'], '1970-01-01T00:00:00Z');
  assert.equal(metadata['finishedOn'], '1970-01-01T00:00:01Z');
  assert.deepEqual(metadata['buildkit_completeness'], { request: true, resolvedDependencies: false });
  assert.doesNotMatch(JSON.stringify(predicate).replace(/"data":"[^"]*"/, ''), /word|u:p@/);
});

test('provenanceOf() says less in min, and nothing of the run where nobody asked for it', async () => {
  const min = JSON.stringify((await statement('mode=min')).predicate);
  assert.doesNotMatch(min, /build-arg|label:|"key"|llbDefinition|infos/);
  assert.match(min, /"invocationId":"ref"/);
  const inline = await statement('mode=min,inline-only=true');
  assert.doesNotMatch(JSON.stringify(inline.predicate), /invocationId|startedOn/);
  assert.equal(inline.fileName, undefined);
});

test('provenanceOf() speaks version 0.2, too', async () => {
  const { predicateType, predicate } = await statement('mode=max,version=v0.2,builder-id=me,reproducible=true');
  assert.equal(predicateType, 'https://slsa.dev/provenance/v0.2');
  const { builder, materials, metadata } = predicate as {
    readonly builder: object;
    readonly materials: readonly unknown[];
    readonly metadata: { readonly reproducible: boolean };
  };
  assert.deepEqual(builder, { id: 'me' });
  assert.equal(materials.length, 2);
  assert.equal(metadata.reproducible, true);
});

test('lowLevelSteps() puts each vertex behind what it stands on, and counts inputs without empty trees', async () => {
  const { target } = await planned();
  const steps = lowLevelSteps(target.tree);
  for (const [index, { inputs }] of steps.entries())
    assert.equal(
      inputs.every((input) => input < index),
      true,
    );
  assert.equal(new Set(steps.map(({ digest: each }) => each)).size, steps.length);
  const exec = steps.find(({ op }) => op.kind === 'exec')?.op;
  assert.ok(exec?.kind === 'exec');
  assert.deepEqual(exec.body.mounts[0], { input: 0, dest: '/', output: 0 });
  assert.equal(exec.body.mounts.length, 4);
  assert.deepEqual(exec.body.meta.args, ['/bin/sh', '-c', 'make']);
  const again = lowLevelSteps((await planned()).target.tree);
  assert.deepEqual(
    again.map(({ digest: each }) => each),
    steps.map(({ digest: each }) => each),
  );
  const last = lowLevelSteps((await planned('FROM scratch\nCOPY x /x\n')).target.tree).at(-1);
  assert.match(JSON.stringify(last?.op.body), /^\{"actions":\[\{"input":-1,"secondaryInput":0,"output":0,/);
});

test('attestOptions() reads fields and build arguments and refuses what cannot be', () => {
  assert.deepEqual(attestOptions({}), { provenance: undefined, sbom: undefined });
  assert.equal(attestOptions({ 'attest:provenance': '' }).provenance?.mode, 'max');
  assert.equal(attestOptions({ 'attest:provenance': 'mode=full' }).provenance?.mode, 'max');
  assert.equal(attestOptions({ 'attest:provenance': 'disabled=true' }).provenance, undefined);
  assert.equal(attestOptions({ 'build-arg:BUILDKIT_ATTEST_SBOM': '' }).sbom?.filename, 'sbom.spdx.json');
  assert.ok(attestOptions({ 'attest:sbom': 'generator=docker/buildkit-syft-scanner:stable-1' }).sbom);
  for (const [key, value] of [
    ['attest:provenance', 'mode=some'],
    ['attest:provenance', 'filename=../x'],
    ['attest:other', ''],
  ] as const) {
    assert.throws(
      () => attestOptions({ [key]: value }),
      (error) => isKind(error, 'invalid-argument'),
    );
  }
  assert.throws(
    () => attestOptions({ 'attest:sbom': 'generator=x/y' }),
    (error) => isKind(error, 'not-implemented'),
  );
});

test('packageUrl() and imageUrl() write package URLs', () => {
  const npm = { type: 'npm', namespace: '@a', name: 'b', version: '1+2', qualifiers: { z: '1', a: 'x y', n: '' } };
  assert.equal(packageUrl(npm), 'pkg:npm/%40a/b@1%2B2?a=x%20y&z=1');
  assert.equal(imageUrl('localhost:5000/a/b:1', platform), 'pkg:docker/localhost:5000/a/b@1?platform=linux%2Famd64');
  assert.equal(imageUrl(`busybox@${digest}`, platform), `pkg:docker/busybox?digest=${digest}&platform=linux%2Famd64`);
});
