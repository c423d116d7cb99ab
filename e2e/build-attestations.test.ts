import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { BUSYBOX } from './lib/images.ts';
import { TestRegistry } from './lib/registry.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const buildx = new Buildx(daemon);
let registry: TestRegistry;
before(async () => {
  await buildx.prepare();
  registry = await TestRegistry.start();
});
after(() => registry[Symbol.asyncDispose]());

interface Provenance {
  readonly buildDefinition: {
    readonly externalParameters: {
      readonly configSource: { readonly path: string };
      readonly request: {
        readonly args?: Readonly<Record<string, string>>;
        readonly secrets?: readonly { readonly id: string }[];
        readonly ssh?: readonly { readonly id: string }[];
        readonly locals?: readonly { readonly name: string }[];
      };
    };
    readonly internalParameters: { readonly buildConfig?: { readonly llbDefinition: readonly object[] } };
    readonly resolvedDependencies: readonly { readonly uri: string; readonly digest?: object }[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: string };
    readonly metadata: { readonly invocationId?: string; readonly buildkit_completeness: object };
  };
}

interface Spdx {
  readonly spdxVersion: string;
  readonly packages: readonly {
    readonly name: string;
    readonly versionInfo: string;
    readonly licenseDeclared: string;
    readonly externalRefs?: readonly { readonly referenceLocator: string }[];
  }[];
}

/** A statement that buildx finds beside an image in a registry. */
async function pushed<T>(name: string, part: string): Promise<T> {
  const result = await buildx.run('imagetools', 'inspect', '--format', `{{json ${part}}}`, name);
  assert.equal(result.code, 0, result.output);
  return JSON.parse(result.stdout) as T;
}

const LOCK = JSON.stringify({
  lockfileVersion: 3,
  packages: { '': {}, 'node_modules/left-pad': { version: '1.3.0', license: 'WTFPL' } },
});

test('statements stand beside a pushed image, which docker and skopeo still take', async () => {
  const name = `${registry.name}/${uniqueName('stated')}:1`;
  const files = {
    Dockerfile: `FROM ${BUSYBOX}
ARG WORD
COPY package-lock.json /app/
RUN --mount=type=secret,id=key --mount=type=ssh echo $WORD
`,
    'package-lock.json': LOCK,
  };
  await buildx.build(
    files,
    '--provenance=mode=max,builder-id=me',
    '--sbom=true',
    '--build-arg',
    'WORD=w',
    '-t',
    name,
    '--push',
  );
  const { SLSA } = await pushed<{ readonly SLSA: Provenance }>(name, '.Provenance');
  const { externalParameters, internalParameters, resolvedDependencies } = SLSA.buildDefinition;
  assert.equal(externalParameters.configSource.path, 'Dockerfile');
  assert.equal(externalParameters.request.args?.['build-arg:WORD'], 'w');
  assert.deepEqual(
    externalParameters.request.secrets?.map(({ id }) => id),
    ['key'],
  );
  assert.deepEqual(
    externalParameters.request.ssh?.map(({ id }) => id),
    ['default'],
  );
  assert.deepEqual(
    externalParameters.request.locals?.map(({ name: each }) => each),
    ['context', 'dockerfile'],
  );
  assert.equal(
    resolvedDependencies.some(({ uri }) => uri.startsWith('pkg:docker/busybox@')),
    true,
  );
  assert.match(JSON.stringify(internalParameters.buildConfig), /"copy"/);
  assert.equal(SLSA.runDetails.builder.id, 'me');
  const { SPDX } = await pushed<{ readonly SPDX: Spdx }>(name, '.SBOM');
  assert.equal(SPDX.spdxVersion, 'SPDX-2.3');
  const found = SPDX.packages.find(({ name: each }) => each === 'left-pad');
  assert.equal(found?.externalRefs?.[0]?.referenceLocator, 'pkg:npm/left-pad@1.3.0');
  assert.equal(found?.licenseDeclared, 'WTFPL');
  const copy = buildx.place();
  await must(['skopeo', 'copy', '--src-tls-verify=false', `docker://${name}`, `dir:${copy}`]);
  await daemon().ok('pull', name);
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', name, 'cat', '/app/package-lock.json'), LOCK);
});

test('what buildx asks for by itself keeps arguments and the run to itself, so that the same steps stay the same image', async () => {
  const files = { Dockerfile: `FROM ${BUSYBOX}\nARG WORD\nRUN echo $WORD >/word\n` };
  const name = `${registry.name}/${uniqueName('min')}:1`;
  await buildx.build(files, '--build-arg', 'WORD=w', '-t', name, '--push');
  const { SLSA } = await pushed<{ readonly SLSA: Provenance }>(name, '.Provenance');
  assert.equal(SLSA.buildDefinition.externalParameters.request.args?.['build-arg:WORD'], undefined);
  assert.deepEqual(SLSA.runDetails.metadata.buildkit_completeness, { request: false, resolvedDependencies: false });
  assert.equal(SLSA.buildDefinition.internalParameters.buildConfig, undefined);
  const id = () => daemon().ok('image', 'inspect', '-f', '{{.Id}}', 'same');
  // The client sends these in another order each time.
  const labels = ['a', 'b', 'c', 'd', 'e'].flatMap((each) => ['--label', `${each}=1`]);
  const again = () => buildx.build(files, '--build-arg', 'WORD=w', ...labels, '-t', 'same');
  await again();
  const first = await id();
  for (const _ of labels.slice(0, 4)) {
    await again();
    assert.equal(await id(), first);
  }
});

test('an older version of the predicate, a file beside files, and no statement at all', async () => {
  const files = { Dockerfile: 'FROM scratch\nCOPY x /x\n', x: 'x' };
  const out = buildx.place();
  await buildx.build(files, '--provenance=mode=min,version=v0.2', '-o', `type=local,dest=${out}`);
  const statement = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8')) as {
    readonly predicateType: string;
    readonly predicate: { readonly buildType: string; readonly invocation: object };
    readonly subject: readonly { readonly name: string }[];
  };
  assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v0.2');
  assert.equal(statement.predicate.buildType, 'https://mobyproject.org/buildkit@v1');
  assert.deepEqual(
    statement.subject.map(({ name }) => name),
    ['x'],
  );
  const plain = buildx.place();
  await buildx.build(files, '-o', `type=local,dest=${plain}`);
  assert.equal(existsSync(join(plain, 'provenance.json')), false);
  const name = `${registry.name}/${uniqueName('none')}:1`;
  await buildx.build(files, '--provenance=false', '-t', name, '--push');
  assert.deepEqual(await pushed(name, '.Provenance'), {});
});

test('stages and the context are listed where the Dockerfile asks for it', async () => {
  const files = {
    Dockerfile: `ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
FROM scratch AS lib
ARG BUILDKIT_SBOM_SCAN_STAGE=true
COPY package-lock.json /lib/
FROM scratch
COPY --from=lib /lib/package-lock.json /other
COPY requirements.txt /
`,
    'package-lock.json': LOCK,
    'requirements.txt': 'flask==2.0.1\n',
  };
  const out = buildx.place();
  await buildx.build(files, '--sbom=true', '-o', `type=local,dest=${out}`);
  const names = (file: string) => {
    const { predicate } = JSON.parse(readFileSync(join(out, file), 'utf8')) as { readonly predicate: Spdx };
    return predicate.packages.slice(1).map(({ name }) => name);
  };
  assert.deepEqual(names('sbom.spdx.json'), ['flask']);
  assert.deepEqual(names('sbom-lib.spdx.json'), ['left-pad']);
  assert.deepEqual(names('sbom-build-context.spdx.json'), ['left-pad', 'flask']);
});

test('a tree of links, pipes and broken files is listed without leaving it, and says what it could not read', async () => {
  const files = {
    Dockerfile: `FROM ${BUSYBOX}
RUN mkdir -p /app /var/lib/dpkg /usr/share/doc && ln -s /proc/1/environ /var/lib/dpkg/status && mkfifo /app/go.mod \\
 && ln -s / /app/loop && echo '{' >/app/package-lock.json && ln -s /../../../../../etc /usr/share/doc/x
COPY requirements.txt /app/
`,
    'requirements.txt': 'flask==2.0.1\n',
  };
  const out = buildx.place();
  await buildx.build(files, '--sbom=true', '-o', `type=tar,dest=${out}`);
  const text = await must(['tar', '-xOf', out, 'sbom.spdx.json']);
  const { predicate } = JSON.parse(text) as {
    readonly predicate: Spdx & { readonly annotations: readonly { readonly comment: string }[] };
  };
  assert.deepEqual(
    predicate.packages.slice(1).map(({ name }) => name),
    ['flask'],
  );
  assert.match(predicate.annotations[0]?.comment ?? '', /^\/app\/package-lock.json could not be read/);
});

test('what cannot be made is refused with a sentence', async () => {
  const files = { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' };
  const generator = await buildx.try(files, '--sbom=generator=some/scanner');
  assert.match(generator.output, /Cannot make an SBOM with the generator "some\/scanner"/);
  const version = await buildx.try(files, '--provenance=version=v9');
  assert.match(version.output, /invalid provenance SLSA version: v9/);
});
