import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { GitTestServer } from '../packages/builder/src/sources/git/test-server.ts';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { buildxPlugin } from './lib/plugins.ts';
import { startDockerRegistry } from './lib/registries.ts';
import { SshServer } from './lib/ssh-server.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-contexts-'));
const served = mkdtempSync(join(scratch, 'served-'));
const server = new GitTestServer(served);
const config = join(scratch, 'config');
let buildx = '';
let url = '';
before(async () => {
  buildx = await buildxPlugin();
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  symlinkSync(buildx, join(config, 'cli-plugins', 'docker-buildx'));
  writeFileSync(join(config, 'config.json'), '{}');
  url = await server.start();
});
after(async () => {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(scratch, 'folder-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const client = (...args: readonly string[]) =>
  run([buildx, ...args], {
    env: { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' },
    timeoutMs: 60_000,
  });

/** What the last stage of a Dockerfile holds, as a directory of the client's. */
async function built(context: string, ...options: readonly string[]): Promise<string> {
  const out = mkdtempSync(join(scratch, 'out-'));
  const result = await client('build', '--progress', 'plain', '-o', out, ...options, context);
  assert.equal(result.code, 0, result.output);
  return out;
}

async function files(out: string): Promise<string> {
  return (await run(['sh', '-c', `cd ${out} && find . -type f | sort | xargs grep -H .`])).output.trim();
}

test('a named directory stands for a stage, an image, and what --from names, with its own .dockerignore', async () => {
  const named = folder({ kept: 'from the directory', 'left-out': 'x', '.dockerignore': 'left-out\n' });
  const context = folder({
    Dockerfile: `FROM ${BUSYBOX} AS stage
RUN false
FROM example.com/absent AS image
FROM ${BUSYBOX} AS run
RUN --mount=type=bind,from=mounted,target=/m cat /m/kept >/read && ! ls /m/left-out
FROM scratch
COPY --from=stage . /stage
COPY --from=image . /image
COPY --from=copied kept /
COPY --from=run /read /
`,
  });
  const names = ['stage', 'example.com/absent', 'copied', 'mounted'].map((name) => [
    '--build-context',
    `${name}=${named}`,
  ]);
  const out = await built(context, ...names.flat());
  const text = 'from the directory';
  assert.equal(
    await files(out),
    [
      'image/.dockerignore:left-out',
      `image/kept:${text}`,
      `kept:${text}`,
      `read:${text}`,
      'stage/.dockerignore:left-out',
      `stage/kept:${text}`,
    ]
      .map((line) => `./${line}`)
      .join('\n'),
  );
});

test('a named image stands for another image and for --from, a named address for a file', async () => {
  const image = uniqueName('named');
  server.commit('plain', {});
  const made = await client(
    'build',
    '-t',
    image,
    folder({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo named >/mark\nENV MARK=yes\n` }),
  );
  assert.equal(made.code, 0, made.output);
  const context = folder({
    Dockerfile:
      'FROM alpine AS one\nRUN test "$MARK" = yes && cp /mark /out\nFROM scratch\nCOPY --from=one /out /one\nCOPY --from=two /mark /two\n',
  });
  const source = `docker-image://${image}`;
  assert.equal(
    await files(
      await built(
        folder({ Dockerfile: 'FROM scratch\nCOPY --from=address context /head\n' }),
        ...['--build-context', `address=${url}/plain.git/HEAD`],
      ),
    ),
    './head:ref: refs/heads/main',
  );
  const out = await built(
    context,
    '--build-context',
    `docker.io/library/alpine:latest=${source}`,
    '--build-context',
    `two=${source}`,
  );
  assert.equal(await files(out), './one:named\n./two:named');
});

test('a named OCI layout is read out of a directory of the client', async () => {
  const layout = join(scratch, 'layout');
  const made = await client(
    ...['build', '-o', `type=oci,dest=${layout},tar=false`],
    folder({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo laid >/mark\nENV MARK=yes\n` }),
  );
  assert.equal(made.code, 0, made.output);
  await client('prune', '-af');
  const context = folder({
    Dockerfile: 'FROM base AS one\nRUN test "$MARK" = yes\nFROM scratch\nCOPY --from=one /mark /\n',
  });
  const out = await built(context, '--build-context', `base=oci-layout://${layout}`);
  assert.equal(await files(out), './mark:laid');
});

test('a git repository is a context, a named one, and a source of ADD', async () => {
  const commit = server.commit('app', {
    Dockerfile: 'FROM scratch\nCOPY . /app\n',
    'sub/Dockerfile': 'FROM scratch\nADD file /\n',
    'sub/file': 'in sub',
  });
  server.git('app', 'tag', 'v1');
  server.push('app', 'v1');
  assert.match(await files(await built(`${url}/app.git`)), /\.\/app\/sub\/file:in sub/);
  assert.equal(await files(await built(`${url}/app.git#v1:sub`)), './file:in sub');
  const keep = await built(`${url}/app.git`, '--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1');
  assert.match(await files(keep), /\.\/app\/\.git\/HEAD:ref: refs\/heads\/main/);
  const context = folder({
    Dockerfile: `FROM scratch
ADD --checksum=${commit} ${url}/app.git#main:sub /fragment
ADD ${url}/app.git?tag=v1&subdir=sub /query
ADD --keep-git-dir ${url}/app.git /kept
COPY --from=named /sub/file /named
`,
  });
  const wanted = ['--build-context', `named=${url}/app.git`];
  const text = await files(await built(context, ...wanted));
  assert.match(
    text,
    /\.\/fragment\/file:in sub[\s\S]*\.\/kept\/\.git\/HEAD:ref[\s\S]*\.\/named:in sub[\s\S]*\.\/query\/file:in sub/,
  );
  const again = await client('build', '--progress', 'plain', ...wanted, context);
  assert.match(again.output, /ADD --keep-git-dir[^\n]*\n#\d+ CACHED/);
  assert.match((await client('du', '--verbose')).output, /source\.git\.checkout/);
  await client('prune', '-af');
  assert.doesNotMatch((await client('du', '--verbose')).output, /source\.git\.checkout/);
});

test('a private repository is fetched with a secret, and a wrong one shown nowhere', async () => {
  server.commit('locked', { Dockerfile: 'FROM scratch\nCOPY file /\n', file: 'secret garden' });
  server.authorization = `basic ${Buffer.from('x-access-token:sesame').toString('base64')}`;
  try {
    const token = join(scratch, 'token');
    writeFileSync(token, 'sesame');
    const out = await built(`${url}/locked.git`, '--secret', `id=GIT_AUTH_TOKEN,src=${token}`);
    assert.match(await files(out), /secret garden/);
    writeFileSync(token, 'opensaysme');
    const address = `${url.replace('://', '://me:hunter2@')}/locked.git`;
    const failed = await client(
      'build',
      '--secret',
      `id=GIT_AUTH_TOKEN,src=${token}`,
      '--progress',
      'plain',
      `${address}#other`,
    );
    assert.notEqual(failed.code, 0);
    const daemonSaid = failed.output
      .split('\n')
      .filter((line) => line.includes('Cannot fetch') || line.includes('git '));
    assert.doesNotMatch(daemonSaid.join('\n'), /opensaysme/);
  } finally {
    server.authorization = undefined;
  }
});

test('a repository is fetched by ssh with the agent of the client, and only with it', async () => {
  await using ssh = await SshServer.start(join(scratch, 'ssh'));
  server.commit('inside', { Dockerfile: 'FROM scratch\nCOPY file /\n', file: 'by ssh' });
  const address = `ssh://root@127.0.0.1:${ssh.port}${served}/inside.git`;
  const context = folder({ Dockerfile: `FROM scratch\nADD ${address}#main /added\n` });
  assert.equal(
    await files(await built(context, '--ssh', `default=${ssh.agent}`)),
    './added/Dockerfile:FROM scratch\n./added/Dockerfile:COPY file /\n./added/file:by ssh',
  );
  assert.match(await files(await built(address, '--ssh', `default=${ssh.agent}`)), /by ssh/);
  const failed = await client(
    'build',
    '--progress',
    'plain',
    '--no-cache',
    folder({ Dockerfile: `FROM scratch\nADD ${address}#other /x\n` }),
  );
  assert.match(failed.output, /Cannot fetch "ssh:[^\n]*Permission denied/, failed.output);
});

test('addresses that git would take for options or files of the host are refused', async () => {
  for (const address of [`${url}/app.git#--upload-pack=id`, `${url}/app.git?ref=x..y`]) {
    const failed = await client(
      'build',
      '--progress',
      'plain',
      folder({ Dockerfile: `FROM scratch\nADD ${address} /x\n` }),
    );
    assert.match(failed.output, /Cannot use "[^"]*" as a git repository/, failed.output);
  }
  for (const address of ['ext::sh -c id', 'file:///etc/.git']) {
    const failed = await client(
      'build',
      '--progress',
      'plain',
      folder({ Dockerfile: `FROM scratch\nADD ["${address}", "/x"]\n` }),
    );
    assert.match(failed.output, /not found|no such file/, failed.output);
  }
});

test('a client that leaves while a repository is fetched leaves no process behind', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const asked = new Promise<Socket>((resolve) => silent.once('connection', resolve));
  const context = folder({ Dockerfile: `FROM scratch\nADD http://127.0.0.1:${port}/x.git /x\n` });
  const env = { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config };
  const building = spawn(buildx, ['build', '--progress', 'quiet', context], { env, stdio: 'ignore' });
  const socket = await asked;
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.resume().on('error', () => undefined);
  building.kill('SIGINT');
  // Held by git's helper alone.
  await gone;
  silent.close();
});

test('an archive on the standard input is a context', async () => {
  const context = folder({ Dockerfile: 'FROM scratch\nCOPY file /\n', file: 'piped' });
  const out = mkdtempSync(join(scratch, 'out-'));
  const env = { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config };
  const result = await run(['sh', '-c', `tar -C ${context} -cz . | ${buildx} build -o ${out} -`], {
    env,
    timeoutMs: 60_000,
  });
  assert.equal(result.code, 0, result.output);
  assert.equal(await files(out), './file:piped');
});

const BAKE = `
group "default" { targets = ["app", "other"] }
target "base" {
  dockerfile-inline = <<EOT
FROM ${BUSYBOX}
RUN echo base >/base
ENV FROM_BASE=yes
EOT
}
target "app" {
  contexts = { base = "target:base" }
  dockerfile-inline = <<EOT
FROM base AS made
RUN test "$FROM_BASE" = yes && cat /base >/app
FROM scratch
COPY --from=made /app /
COPY --from=base /base /
EOT
  output = ["type=local,dest=OUT/app"]
}
target "other" {
  name = "other-\${item}"
  matrix = { item = ["a", "b"] }
  args = { ITEM = item }
  dockerfile-inline = <<EOT
FROM ${BUSYBOX} AS made
ARG ITEM
RUN echo $ITEM >/item
FROM scratch
COPY --from=made /item /
EOT
  output = ["type=local,dest=OUT/\${item}"]
}
`;

test('bake builds targets side by side, a matrix of them, and targets that stand on others', async () => {
  const out = mkdtempSync(join(scratch, 'out-'));
  const context = folder({ 'docker-bake.hcl': BAKE.replaceAll('OUT', out), x: 'x' });
  const bake = (...args: readonly string[]) =>
    run([buildx, 'bake', '--allow=fs=*', '--progress', 'plain', ...args], {
      cwd: context,
      env: { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config },
      timeoutMs: 60_000,
    });
  const made = await bake();
  assert.equal(made.code, 0, made.output);
  assert.equal(await files(out), './a/item:a\n./app/app:base\n./app/base:base\n./b/item:b');
  const image = uniqueName('baked');
  const set = await bake('base', '--set', `base.tags=${image}`, '--set', 'base.labels.l=m', '--load');
  assert.equal(set.code, 0, set.output);
  assert.equal(await daemon().ok('inspect', '-f', '{{index .Config.Labels "l"}}', image), 'm');
});

test('bake reads definitions of other forms: JSON, compose files, and those in a repository or an archive', async () => {
  const out = mkdtempSync(join(scratch, 'out-'));
  const context = folder({
    'a.json': JSON.stringify({
      target: { json: { 'dockerfile-inline': 'FROM scratch\nCOPY x /json', output: [`type=local,dest=${out}`] } },
    }),
    'compose.yaml':
      'services:\n  web:\n    image: composed\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM scratch\n        COPY x /web\n',
    x: 'x',
  });
  const bake = (...args: readonly string[]) =>
    run([buildx, 'bake', '--allow=fs=*', '--progress', 'plain', ...args], {
      cwd: context,
      env: { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config },
      timeoutMs: 60_000,
    });
  const json = await bake('-f', 'a.json', 'json');
  assert.equal(json.code, 0, json.output);
  const set = ['--set', `web.output=type=local,dest=${out}`];
  assert.match((await bake('-f', 'compose.yaml', '--print', ...set)).output, /"dockerfile-inline"/);
  const composed = await bake('-f', 'compose.yaml', ...set);
  assert.equal(composed.code, 0, composed.output);
  assert.equal(await files(out), './json:x\n./web:x');
  const remote = mkdtempSync(join(scratch, 'out-'));
  server.commit('baked', {
    'docker-bake.hcl': 'target "default" {}\n',
    Dockerfile: 'FROM scratch\nCOPY file /\n',
    file: 'from afar',
  });
  const far = await bake(`${url}/baked.git`, '--set', `default.output=type=local,dest=${remote}`);
  assert.equal(far.code, 0, far.output);
  assert.equal(await files(remote), './file:from afar');
});

test('bake links targets of several platforms, each with its own', async () => {
  const out = mkdtempSync(join(scratch, 'out-'));
  const platforms = 'platforms = ["linux/amd64", "linux/arm64"]';
  const context = folder({
    x: 'x',
    'docker-bake.hcl': `target "base" {
  ${platforms}
  dockerfile-inline = <<EOT
FROM scratch
ARG TARGETARCH
COPY x /from-$TARGETARCH
EOT
}
target "default" {
  ${platforms}
  contexts = { base = "target:base" }
  dockerfile-inline = <<EOT
FROM base
COPY x /own
EOT
  output = ["type=local,dest=${out}"]
}
`,
  });
  const made = await run([buildx, 'bake', '--allow=fs=*', '--progress', 'plain'], {
    cwd: context,
    env: { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config },
    timeoutMs: 60_000,
  });
  assert.equal(made.code, 0, made.output);
  const found = await files(out);
  assert.match(
    found,
    /linux_amd64\/from-amd64:x\n[^\n]*linux_amd64\/own:x\n[^\n]*linux_arm64\/from-arm64:x\n[^\n]*linux_arm64\/own:x/,
  );
});

test('bake pushes what it builds', async () => {
  await using registry = await startDockerRegistry();
  const image = `${registry.address}/baked:1`;
  const context = folder({
    'docker-bake.hcl': `target "default" { tags = ["${image}"] }\n`,
    Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
  });
  const pushed = await run([buildx, 'bake', '--allow=fs=*', '--progress', 'plain', '--push'], {
    cwd: context,
    env: { ...clientEnvironment(daemon().host), DOCKER_CONFIG: config },
    timeoutMs: 60_000,
  });
  assert.equal(pushed.code, 0, pushed.output);
  await daemon().ok('pull', image);
});
