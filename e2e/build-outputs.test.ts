import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { type RegistryUnderTest, startDockerRegistry } from './lib/registries.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const buildx = new Buildx(daemon);
let registry: RegistryUnderTest;
before(async () => {
  await buildx.prepare();
  registry = await startDockerRegistry();
});
after(async () => {
  await registry[Symbol.asyncDispose]();
});

interface Manifest {
  readonly mediaType: string;
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly mediaType: string; readonly digest: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Index {
  readonly mediaType: string;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly platform?: { readonly os: string; readonly architecture: string };
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Files of each platform, without anything that would have to run. */
const BOTH = {
  Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY all /all\nCOPY $TARGETARCH /arch\nLABEL arch=$TARGETARCH\n',
  all: 'for all',
  amd64: 'amd64',
  arm64: 'arm64',
};
const PLATFORMS = '--platform=linux/amd64,linux/arm64';

/** A document out of an OCI layout. */
function blob<T>(layout: string, digest: string): T {
  return JSON.parse(readFileSync(join(layout, 'blobs', ...digest.split(':')), 'utf8')) as T;
}

async function unpacked(archive: string): Promise<string> {
  const folder = buildx.place();
  await must(['mkdir', folder]);
  await must(['tar', '-xf', archive, '-C', folder]);
  return folder;
}

/** The index or manifest that a layout's index leads to. */
async function layoutOf(
  archive: string,
): Promise<{ readonly folder: string; readonly top: Index['manifests'][number] }> {
  const folder = await unpacked(archive);
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
  const [top] = index.manifests;
  assert.ok(top !== undefined);
  return { folder, top };
}

test('several platforms become one index, listed once, and each of them can be had', async () => {
  const image = uniqueName('multi');
  const metadata = buildx.place();
  const built = await buildx.build(BOTH, PLATFORMS, '-t', image, '--metadata-file', metadata);
  assert.match(built, /\[linux\/amd64 2\/2\] COPY amd64 \/arch/);
  assert.match(built, /\[linux\/arm64 2\/2\] COPY arm64 \/arch/);
  const told = JSON.parse(readFileSync(metadata, 'utf8')) as Readonly<Record<string, unknown>>;
  assert.equal(told['containerimage.digest'], await daemon().ok('inspect', '-f', '{{.Id}}', image));
  assert.equal((await daemon().ok('images', '-q', image)).split('\n').length, 1);
  const tree = await daemon().ok('images', '--tree', image);
  assert.match(tree, /linux\/amd64/);
  assert.match(tree, /linux\/arm64/);
  for (const arch of ['amd64', 'arm64']) {
    const label = await daemon().ok(
      'image',
      'inspect',
      '--platform',
      `linux/${arch}`,
      '-f',
      '{{.Config.Labels.arch}}',
      image,
    );
    assert.equal(label, arch);
    const container = await daemon().ok('create', '--platform', `linux/${arch}`, image, 'x');
    const archive = await daemon().docker(['cp', `${container}:/arch`, '-']);
    assert.match(archive.stdout, new RegExp(arch));
    await daemon().ok('rm', container);
  }
});

test('the id that a client writes down is the one that images are known by, with statements and without', async () => {
  const files = { Dockerfile: 'FROM scratch\nCOPY x /\n', x: uniqueName() };
  for (const provenance of ['true', 'false']) {
    const file = buildx.place();
    const printed = await buildx.run(
      'build',
      '-q',
      `--provenance=${provenance}`,
      '--iidfile',
      file,
      buildx.context(files),
    );
    const id = readFileSync(file, 'utf8');
    assert.equal(printed.stdout.trim(), id);
    assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', id), id);
  }
});

test('BUILDPLATFORM stages run here for every platform', async () => {
  const image = uniqueName('cross');
  const output = await buildx.build(
    {
      Dockerfile: `FROM --platform=$BUILDPLATFORM ${BUSYBOX} AS made
ARG TARGETPLATFORM TARGETARCH BUILDPLATFORM
RUN echo "$BUILDPLATFORM for $TARGETPLATFORM" >/made-$TARGETARCH
FROM scratch
COPY --from=made /made-* /
`,
    },
    PLATFORMS,
    '-t',
    image,
  );
  assert.match(output, /\[linux\/amd64->arm64 made 2\/2\] RUN echo/);
  // What is the same for all of them is done and shown once.
  assert.equal(output.match(/\] FROM [^\n]*busybox/g)?.length, 1, output);
  const container = await daemon().ok('create', '--platform', 'linux/arm64', image, 'x');
  const archive = await daemon().docker(['cp', `${container}:/made-arm64`, '-']);
  assert.match(archive.stdout, /linux\/amd64 for linux\/arm64/);
});

test('type=oci: a layout that skopeo reads, as an archive and as a directory; both outputs of one build', async () => {
  const [archive, directory] = [buildx.place(), buildx.place()];
  await buildx.build(
    BOTH,
    PLATFORMS,
    '-t',
    'a/b:c',
    '-o',
    `type=oci,dest=${archive}`,
    '-o',
    `type=oci,tar=false,dest=${directory}`,
  );
  const { folder, top } = await layoutOf(archive);
  assert.equal(top.annotations?.['io.containerd.image.name'], 'docker.io/a/b:c');
  assert.deepEqual(
    blob<Index>(folder, top.digest).manifests.map(({ platform }) => platform?.architecture),
    ['amd64', 'arm64'],
  );
  for (const source of [`oci-archive:${archive}:c`, `oci:${directory}:c`]) {
    const seen = await must(['skopeo', 'inspect', '--config', '--override-arch', 'arm64', source]);
    assert.equal(
      (JSON.parse(seen) as { readonly config: { readonly Labels: { readonly arch: string } } }).config.Labels.arch,
      'arm64',
    );
  }
});

test('type=docker: an archive that docker load and skopeo read', async () => {
  const archive = buildx.place();
  const image = uniqueName('archived');
  await buildx.build(
    { Dockerfile: `FROM ${BUSYBOX}\nRUN echo here >/x\nCMD cat /x\n` },
    '-t',
    image,
    '-o',
    `type=docker,dest=${archive}`,
  );
  assert.equal((await daemon().docker(['inspect', image])).code, 1);
  await must(['skopeo', 'inspect', `docker-archive:${archive}`]);
  await daemon().ok('load', '-i', archive);
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', image), 'here');
  const refused = await buildx.try(BOTH, PLATFORMS, '-o', `type=docker,dest=${archive}`);
  assert.match(refused.output, /docker exporter does not (currently )?support exporting manifest lists/);
});

test('layers are compressed as asked for, and those of the base only when forced', async () => {
  const files = { Dockerfile: `FROM ${BUSYBOX}\nCOPY x /x\n`, x: 'x'.repeat(5000) };
  const types = async (options: string) => {
    const archive = buildx.place();
    await buildx.build(files, '-o', `type=oci,dest=${archive},${options}`);
    await must(['skopeo', 'inspect', '--config', `oci-archive:${archive}`]);
    const { folder, top } = await layoutOf(archive);
    const manifest = blob<Manifest>(folder, top.digest);
    for (const { digest } of manifest.layers) {
      const bytes = readFileSync(join(folder, 'blobs', ...digest.split(':')));
      assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, digest);
    }
    return manifest.layers.map(({ mediaType }) => mediaType.replace(/^.*\.tar/, 'tar'));
  };
  assert.deepEqual(await types('compression=zstd,compression-level=3'), ['tar', 'tar+zstd']);
  assert.deepEqual(await types('compression=gzip'), ['tar', 'tar+gzip']);
  assert.deepEqual(await types('compression=uncompressed'), ['tar', 'tar']);
  assert.deepEqual(await types('compression=zstd,force-compression=true'), ['tar+zstd', 'tar+zstd']);
  const docker = buildx.place();
  await buildx.build(files, '-o', `type=oci,dest=${docker},oci-mediatypes=false`);
  const { folder, top } = await layoutOf(docker);
  assert.equal(top.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
  assert.equal(blob<Manifest>(folder, top.digest).config.mediaType, 'application/vnd.docker.container.image.v1+json');
  for (const [options, message] of [
    [
      'compression=zstd,oci-mediatypes=false',
      /exporter option "compression=zstd" conflicts with "oci-mediatypes=false"/,
    ],
    ['compression=best', /unsupported layer compression type/],
    ['force-compression=perhaps', /non-bool value/],
  ] as const) {
    assert.match((await buildx.try(files, '-o', `type=oci,dest=${docker},${options}`)).output, message);
  }
});

test('annotations go to manifests, indexes and the descriptors that lead there', async () => {
  const archive = buildx.place();
  await buildx.build(
    BOTH,
    ...[PLATFORMS, '-o', `type=oci,dest=${archive}`],
    ...['--annotation', 'all=1', '--annotation', 'manifest[linux/arm64]:arm=2', '--annotation', 'index:index=3'],
    ...['--annotation', 'manifest-descriptor:outside=4', '--annotation', 'index-descriptor:top=5'],
  );
  const { folder, top } = await layoutOf(archive);
  assert.equal(top.annotations?.['top'], '5');
  const index = blob<Index>(folder, top.digest);
  assert.deepEqual(index.annotations, { index: '3' });
  assert.deepEqual(
    index.manifests.map(({ annotations }) => annotations),
    [{ outside: '4' }, { outside: '4' }],
  );
  assert.deepEqual(
    index.manifests.map(({ digest }) => blob<Manifest>(folder, digest).annotations),
    [{ all: '1' }, { all: '1', arm: '2' }],
  );
  const single = { Dockerfile: 'FROM scratch\nCOPY x /\n', x: '' };
  const refused = await buildx.try(
    single,
    '-o',
    `type=oci,dest=${archive}`,
    '--provenance=false',
    '--annotation',
    'index:a=b',
  );
  assert.match(refused.output, /index annotations not supported for single platform export/);
});

test('the daemon pushes: an index with compressed layers, the same as here; one name or several', async () => {
  const [one, two] = [`${registry.address}/pushed/one:1`, `${registry.address}/pushed/two:1`];
  const metadata = buildx.place();
  await buildx.build(BOTH, PLATFORMS, '--push', '-t', one, '-t', two, '--metadata-file', metadata);
  const told = JSON.parse(readFileSync(metadata, 'utf8')) as Readonly<Record<string, string>>;
  for (const name of [one, two]) {
    const raw = await must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
    assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, told['containerimage.digest']);
    assert.deepEqual(
      (JSON.parse(raw) as Index).manifests.map(({ platform }) => platform?.architecture),
      ['amd64', 'arm64', 'unknown', 'unknown'],
    );
  }
  assert.equal(told['containerimage.digest'], await daemon().ok('inspect', '-f', '{{.Id}}', one));
  const arm = await must(['skopeo', 'inspect', '--override-arch', 'arm64', '--tls-verify=false', `docker://${one}`]);
  assert.equal((JSON.parse(arm) as { readonly Labels: { readonly arch: string } }).Labels.arch, 'arm64');
});

test('an image that is pushed later has compressed layers there; its index and all below it go along', async () => {
  const name = `${registry.address}/pushed/later:1`;
  await buildx.build(BOTH, PLATFORMS, '-t', name);
  await daemon().ok('push', name);
  const raw = JSON.parse(await must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${name}`])) as Index;
  assert.equal(raw.manifests.length, 4);
  const repository = `docker://${registry.address}/pushed/later`;
  const document = async <T>(digest: string): Promise<T> =>
    JSON.parse(await must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `${repository}@${digest}`])) as T;
  const [images, statements] = [raw.manifests.slice(0, 2), raw.manifests.slice(2)];
  for (const [index, { digest }] of images.entries()) {
    const { layers } = await document<Manifest>(digest);
    assert.deepEqual(
      new Set(layers.map(({ mediaType }) => mediaType)),
      new Set(['application/vnd.oci.image.layer.v1.tar+gzip']),
    );
    // What was stated about the image here is stated about the compressed one there.
    const about = statements[index];
    assert.equal(about?.annotations?.['vnd.docker.reference.digest'], digest);
    const [statement] = (await document<Manifest>(about?.digest ?? '')).layers;
    const url = `http://${registry.address}/v2/pushed/later/blobs/${statement?.digest}`;
    const { subject } = JSON.parse(await must(['curl', '-sSf', url])) as {
      readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
    };
    assert.equal(`sha256:${subject[0]?.digest.sha256}`, digest);
  }
  await daemon().ok('rmi', name);
  await daemon().ok('pull', '-q', '--platform', 'linux/arm64', name);
  const label = await daemon().ok(
    'image',
    'inspect',
    '--platform',
    'linux/arm64',
    '-f',
    '{{.Config.Labels.arch}}',
    name,
  );
  assert.equal(label, 'arm64');
});

test('store=false keeps nothing here; name-canonical adds a name by digest; a push without a name is refused', async () => {
  const name = `${registry.address}/pushed/unkept:1`;
  const files = { Dockerfile: 'FROM scratch\nCOPY x /\n', x: uniqueName() };
  await buildx.build(files, '-o', `type=image,name=${name},push=true,store=false`);
  assert.equal((await daemon().docker(['inspect', name])).code, 1);
  await must(['skopeo', 'inspect', '--tls-verify=false', `docker://${name}`]);
  const own = uniqueName('canonical');
  await buildx.build(files, '-o', `type=image,name=${own},name-canonical=true`);
  const id = await daemon().ok('inspect', '-f', '{{.Id}}', own);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', `${own}@${id}`), id);
  assert.match(
    (await buildx.try(files, '-o', 'type=image,push=true')).output,
    /tag is needed when pushing to registry/,
  );
  const failed = await buildx.try(files, '-o', 'type=registry,name=localhost:1/none:1');
  assert.match(failed.output, /failed to push localhost:1\/none:1/);
});

test('type=local and type=tar: a directory for each platform, or all in one', async () => {
  const [directory, together, archive] = [buildx.place(), buildx.place(), buildx.place()];
  await buildx.build(BOTH, PLATFORMS, '-o', `type=local,dest=${directory}`, '-o', `type=tar,dest=${archive}`);
  assert.deepEqual(readdirSync(directory).toSorted(), ['linux_amd64', 'linux_arm64']);
  assert.equal(readFileSync(join(directory, 'linux_arm64', 'arch'), 'utf8'), 'arm64');
  assert.match(await must(['tar', '-tf', archive]), /linux_amd64\/arch\nlinux_arm64\/\nlinux_arm64\/all/);
  const apart = { ...BOTH, Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /$TARGETARCH\n' };
  await buildx.build(apart, PLATFORMS, '-o', `type=local,platform-split=false,dest=${together}`);
  assert.deepEqual(readdirSync(together).toSorted(), ['amd64', 'arm64']);
  const refused = await buildx.try(BOTH, PLATFORMS, '-o', `type=local,platform-split=false,dest=${buildx.place()}`);
  assert.match(
    refused.output,
    /cannot overwrite all from linux\/amd64 with linux\/arm64 when split option is disabled/,
  );
  await buildx.build(
    { Dockerfile: 'FROM scratch\nCOPY x /\n', x: '' },
    '-o',
    `type=local,platform-split=true,dest=${together}`,
  );
  assert.ok(existsSync(join(together, 'linux_amd64', 'x')));
});

test('statements lie beside the files they are about, with the digest of each', async () => {
  const [apart, together, archive] = [buildx.place(), buildx.place(), buildx.place()];
  const attest = ['--attest', 'type=provenance,mode=max'];
  await buildx.build(BOTH, PLATFORMS, ...attest, '-o', `type=local,dest=${apart}`, '-o', `type=tar,dest=${archive}`);
  const statement = JSON.parse(readFileSync(join(apart, 'linux_arm64', 'provenance.json'), 'utf8')) as {
    readonly predicateType: string;
    readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  };
  assert.match(statement.predicateType, /^https:\/\/slsa\.dev\/provenance\//);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.deepEqual(statement.subject, [
    { name: 'all', digest: { sha256: sha256('for all') } },
    { name: 'arch', digest: { sha256: sha256('arm64') } },
  ]);
  assert.match(await must(['tar', '-tf', archive]), /linux_amd64\/arch\nlinux_amd64\/provenance\.json/);
  const files = { ...BOTH, Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /$TARGETARCH\n' };
  const options = `type=local,platform-split=false,attestation-prefix=about-,dest=${together}`;
  await buildx.build(files, PLATFORMS, ...attest, '-o', options);
  assert.deepEqual(readdirSync(together).toSorted(), [
    'about-provenance.linux_amd64.json',
    'about-provenance.linux_arm64.json',
    'amd64',
    'arm64',
  ]);
});

test('an artifact holds statements as OCI has them, with their subject', async () => {
  const archive = buildx.place();
  const files = { Dockerfile: 'FROM scratch\nCOPY x /\n', x: '' };
  await buildx.build(files, '--attest', 'type=provenance,mode=min', '-o', `type=oci,dest=${archive},oci-artifact=true`);
  const { folder, top } = await layoutOf(archive);
  const [image, about] = blob<Index>(folder, top.digest).manifests;
  const artifact = blob<Manifest & { readonly artifactType: string; readonly subject: { readonly digest: string } }>(
    folder,
    about?.digest ?? '',
  );
  assert.equal(artifact.artifactType, 'application/vnd.docker.attestation.manifest.v1+json');
  assert.equal(artifact.subject.digest, image?.digest);
  assert.equal(artifact.config.mediaType, 'application/vnd.oci.empty.v1+json');
});

test('a client that leaves while it is sent an archive ends the export, and its blobs go', async () => {
  await using own = await TestDaemon.start();
  const pipe = buildx.place();
  await must(['mkfifo', pipe]);
  const folder = buildx.context({
    Dockerfile: 'FROM scratch\nCOPY big /\n',
    big: randomBytes(10_000_000).toString('hex'),
  });
  const blobs = async () =>
    Number((await must(['du', '-sb', join(own.dataRoot, 'content')])).split('\t', 1)[0]) > 5_000_000;
  // Held open by this process too, so that the client can begin and not go on.
  const fd = openSync(pipe, constants.O_RDWR);
  const client = buildx.start(own.host, 'build', '--progress=plain', '-o', `type=oci,dest=${pipe}`, folder);
  try {
    await eventually('the export has packed the layer', blobs);
    client.kill('SIGKILL');
    await eventually('what was packed is gone', async () => !(await blobs()));
  } finally {
    client.kill('SIGKILL');
    closeSync(fd);
  }
});

test('SOURCE_DATE_EPOCH is the time of files in a directory and an archive', async () => {
  const [directory, archive] = [buildx.place(), buildx.place()];
  const files = { Dockerfile: 'FROM scratch\nCOPY x /\n', x: '' };
  const options = ['-o', `type=local,dest=${directory}`, '-o', `type=tar,dest=${archive}`];
  await buildx.build(files, '--build-arg', 'SOURCE_DATE_EPOCH=1234567890', ...options);
  assert.equal(statSync(join(directory, 'x')).mtimeMs, 1_234_567_890_000);
  assert.match(await must(['env', 'TZ=UTC', 'tar', '-tvf', archive]), /2009-02-13 23:31 x/);
});

test('a build for a platform whose base is not to be had says so', async () => {
  const image = `only-here:${process.pid}`;
  await loadBusybox(daemon().host, { reference: image });
  const failed = await buildx.try({ Dockerfile: `FROM ${image}\n` }, PLATFORMS);
  assert.match(failed.output, new RegExp(`"${image}" is not here for linux/arm64, and to pull it did not work`));
});
