import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';
import { WHARF, wharfUser } from './lib/wharf-user.ts';

const daemon = daemonForFile();
const { scratch, environment, wharf, build, context } = wharfUser(() => daemon().host);

const show = (image: string, ...command: readonly string[]) =>
  daemon().ok('run', '--rm', '--network', 'none', image, ...command);

test('wharf build makes an image without any other client: stages, arguments, labels, .dockerignore, odd files', async () => {
  const image = uniqueName('wb');
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS one\nRUN echo working && echo made >/made\nFROM ${BUSYBOX}\nARG A\nARG B\nENV A=$A B=$B\nCOPY --from=one /made /\nCOPY . /all\n`,
    '.dockerignore': '# a remark\nout\n**/*.log\n!keep.log\nDockerfile\n',
    'out/file': '',
    'deep/er/x.log': '',
    'keep.log': '',
    'a.b': '',
    'a/é': 'x',
    'a/[odd] *': '',
    'empty/.keep': '',
  });
  symlinkSync('../a/é', join(folder, 'a', 'link'));
  chmodSync(join(folder, 'a.b'), 0o750);
  const result = await run(
    [
      WHARF,
      'build',
      '--progress=plain',
      '-t',
      image,
      '--build-arg',
      'A=b',
      '--build-arg',
      'B',
      '--label',
      'l=m',
      folder,
    ],
    {
      env: environment({ B: 'from the environment' }),
      timeoutMs: 60_000,
    },
  );
  assert.equal(result.code, 0, result.output);
  assert.match(
    result.output,
    /#\d+ \[one 2\/2\] RUN echo working[^\n]*\n#\d+ \d+\.\d{3} working\n#\d+ DONE \d+\.\ds\n/,
  );
  const paths = (await show(image, 'sh', '-c', 'cd /all && find . | sort')).split('\n');
  assert.deepEqual(paths, [
    '.',
    './.dockerignore',
    './a',
    './a.b',
    './a/[odd] *',
    './a/link',
    './a/é',
    './deep',
    './deep/er',
    './empty',
    './empty/.keep',
    './keep.log',
  ]);
  assert.equal(await show(image, 'stat', '-c', '%a %u', '/all/a.b'), '750 0');
  assert.equal(await show(image, 'cat', '/all/a/link'), 'x');
  assert.equal(
    await daemon().ok('inspect', '-f', '{{index .Config.Labels "l"}} {{json .Config.Env}}', image),
    'm ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=b","B=from the environment"]',
  );
  const again = await build(folder, '-t', image, '--build-arg', 'A=b', '--label', 'l=m');
  assert.match(again.output, /RUN echo working[^\n]*\n#\d+ CACHED/);
});

test('wharf build prints the id alone with -q, and writes --iidfile and --metadata-file; --json prints the latter', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nLABEL x=${uniqueName()}\n` });
  const [ids, file] = [join(scratch, 'id'), join(scratch, 'metadata.json')];
  const quiet = await wharf(['build', '-q', '--iidfile', ids, '--metadata-file', file, folder]);
  assert.match(quiet.output, /^sha256:[0-9a-f]{64}\n$/);
  const id = quiet.stdout.trim();
  assert.equal(readFileSync(ids, 'utf8'), id);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', id), id);
  const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const json = await wharf(['build', '--json', '--progress', 'quiet', folder]);
  const printed = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.equal(printed['containerimage.digest'], metadata['containerimage.digest']);
  assert.deepEqual(printed['containerimage.descriptor'], metadata['containerimage.descriptor']);
});

test('wharf build shows where a step failed, the last it wrote, and what to do; the status is 1', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN true\nRUN echo oops >&2; exit 42\n` });
  const failed = await build(folder);
  assert.equal(failed.code, 1);
  assert.match(failed.output, /------\n > \[3\/3\] RUN echo oops[\s\S]*oops\n------\n/);
  assert.match(
    failed.output,
    /Dockerfile:3\n-+\n[\s\S]* 3 \| >>> RUN echo oops >&2; exit 42\n-+\nERROR: failed to solve: /,
  );
  assert.match(failed.output, /exit code: 42\nTo look at it where it failed: build again with --on-error shell\./);
  const wrong = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nRUNN x\n` }));
  assert.match(wrong.output, /2 \| >>> RUNN x[\s\S]*unknown instruction: RUNN \(did you mean RUN\?\)/);
  const missing = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY nothing /\n` }));
  assert.match(missing.output, /not found/);
});

test('wharf build refuses what makes no sense, and says what was meant', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\n` });
  const said = async (...line: readonly string[]) => {
    const { code, output } = await wharf(['build', ...line]);
    return `${code} ${output}`;
  };
  assert.match(await said('--tga', 'x', folder), /^125 unknown flag: --tga\nDid you mean --tag\?/);
  assert.match(await said(), /^1 wharf: 'wharf build' requires 1 argument/);
  assert.match(await said(join(folder, 'none')), /^1 unable to prepare context: path ".*none" not found/);
  assert.match(await said('-f', join(folder, 'Dockerfil'), folder), /did you mean Dockerfile\?/);
  assert.match(await said('-t', 'UPPER', folder), /^1 ERROR: invalid tag "UPPER"/);
  assert.match(await said('--progress', 'loud', folder), /^1 ERROR: invalid progress mode: loud/);
  assert.match(await said('-o', 'type=nothing', folder), /exporter "nothing" could not be found/);
  assert.match(await said('--secret', 'id=s,src=/nowhere', folder), /there is no file "\/nowhere"/);
  assert.match(await said('--help'), /^0 Usage:[\s\S]*Examples:[\s\S]*--on-error shell/);
  const nobody = await run([WHARF, '-H', 'unix:///nowhere.sock', 'build', folder], { env: environment() });
  assert.match(
    nobody.output,
    /Cannot connect to the Docker daemon at unix:\/\/\/nowhere\.sock\. Is the docker daemon running\?/,
  );
});

test('wharf build takes contexts and Dockerfiles from standard input, archives and addresses, and further contexts by name', async () => {
  const image = uniqueName('wb');
  const text = `FROM ${BUSYBOX}\nRUN echo stdin >/x\n`;
  const dockerfile = await wharf(['build', '-q', '-t', image, '-'], { input: text });
  assert.equal(dockerfile.code, 0, dockerfile.output);
  assert.equal(await show(image, 'cat', '/x'), 'stdin');
  const folder = context({ file: 'of the context', 'other/from': 'elsewhere' });
  const both = await wharf(
    ['build', '-q', '-t', image, '-f', '-', '--build-context', `more=${join(folder, 'other')}`, folder],
    {
      input: `FROM ${BUSYBOX}\nCOPY file /f\nCOPY --from=more from /g\n`,
    },
  );
  assert.equal(both.code, 0, both.output);
  assert.equal(await show(image, 'cat', '/f', '/g'), 'of the contextelsewhere');
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${BUSYBOX}\nCOPY file /archived\n`);
  const archive = join(scratch, 'context.tar.gz');
  assert.equal((await run(['tar', '-czf', archive, '-C', folder, '.'])).code, 0);
  const packed = await run(['sh', '-c', `exec ${WHARF} build -q -t ${image} - <${archive}`], { env: environment() });
  assert.equal(packed.code, 0, packed.output);
  assert.equal(await show(image, 'cat', '/archived'), 'of the context');
  const server = createServer((_, response) => response.end(`FROM ${BUSYBOX}\nCOPY file /fetched\n`)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/Dockerfile`;
    assert.equal((await wharf(['build', '-q', '-t', image, '-f', address, folder])).code, 0);
    assert.equal(await show(image, 'cat', '/fetched'), 'of the context');
  } finally {
    server.close();
  }
});

test('wharf build sends odd files, and says which cannot be sent and what to do', async () => {
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}\nCOPY . /c\nRUN ls /c | tr '\\n' ' '; test -p /c/pipe; test -L /c/loop\n`,
  });
  assert.equal((await run(['mkfifo', join(folder, 'pipe')])).code, 0);
  symlinkSync('loop', join(folder, 'loop'));
  writeFileSync(join(folder, 'new\nline'), '');
  const sent = await build(folder);
  assert.equal(sent.code, 0, sent.output);
  writeFileSync(Buffer.from(`${folder}/\xff`, 'latin1'), '');
  const refused = await build(folder);
  assert.match(refused.output, /its name is no UTF-8\nRename the file, or leave it out by \.dockerignore\./);
});

test('wharf build lends secrets, an agent and keys', async () => {
  const secret = join(scratch, 'secret');
  const key = join(scratch, 'key');
  writeFileSync(secret, 'sesame');
  assert.equal((await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lent', '-f', key])).code, 0);
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}
RUN --mount=type=secret,id=s,required=true test "$(cat /run/secrets/s)" = sesame
RUN --mount=type=secret,id=e,env=WORD test "$WORD" = open
RUN --mount=type=ssh,required=true test -S "$SSH_AUTH_SOCK"
RUN ! grep -r sesame /run /tmp
`,
  });
  const line = [
    'build',
    '--progress=plain',
    '--no-cache',
    '--secret',
    `id=s,src=${secret}`,
    '--secret',
    'id=e,env=THE_WORD',
    '--ssh',
    `default=${key}`,
  ];
  const result = await run([WHARF, ...line, folder], { env: environment({ THE_WORD: 'open' }), timeoutMs: 60_000 });
  assert.equal(result.code, 0, result.output);
  const without = await build(folder, '--no-cache', '--secret', 'id=e,env=PATH');
  assert.match(without.output, /secret s: not found/);
});

test('wharf build writes results as a directory, an archive, an OCI archive and a layout, several at once', async () => {
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS made\nRUN mkdir -p /out/d && cd /out && echo one >first && ln first second && ln -s ../first d/link && chmod 750 first\nFROM scratch\nCOPY --from=made /out /\n`,
  });
  const at = mkdtempSync(join(scratch, 'out-'));
  mkdirSync(join(at, 'files'));
  writeFileSync(join(at, 'files', 'kept'), '');
  const outputs = [
    join(at, 'files'),
    `type=tar,dest=${join(at, 'all.tar')}`,
    `type=oci,dest=${join(at, 'oci.tar')}`,
    `type=oci,tar=false,dest=${join(at, 'layout')}`,
  ];
  const result = await build(folder, ...outputs.flatMap((each) => ['-o', each]));
  assert.equal(result.code, 0, result.output);
  assert.deepEqual(readdirSync(join(at, 'files')).sort(), ['d', 'first', 'kept', 'second']);
  assert.equal(readFileSync(join(at, 'files/d/link'), 'utf8'), 'one\n');
  assert.equal(readlinkSync(join(at, 'files/d/link')), '../first');
  const [first, second] = ['first', 'second'].map((name) => statSync(join(at, 'files', name)));
  assert.equal(first?.ino, second?.ino);
  assert.equal((first?.mode ?? 0) & 0o777, 0o750);
  const listed = await run(['tar', '-tf', join(at, 'all.tar')]);
  assert.deepEqual(listed.output.trim().split('\n').sort(), ['d/', 'd/link', 'first', 'second']);
  assert.match((await run(['tar', '-tf', join(at, 'oci.tar')])).output, /^oci-layout$/m);
  const index = JSON.parse(readFileSync(join(at, 'layout/index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  assert.ok(existsSync(join(at, 'layout/blobs/sha256', index.manifests[0]?.digest.slice(7) ?? '')));
  const replaced = await build(folder, '-o', `type=local,dest=${join(at, 'files')},mode=delete`);
  assert.equal(replaced.code, 0, replaced.output);
  assert.deepEqual(readdirSync(join(at, 'files')).sort(), ['d', 'first', 'second']);
  const piped = await run(['sh', '-c', `${WHARF} build --progress=quiet -o - ${folder} | tar -t`], {
    env: environment(),
  });
  assert.match(piped.output, /^first$/m);
});

test('wharf build --check, --call outline and targets answer without building', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX} AS First\nARG X=1\nFROM ${BUSYBOX} AS second\nRUN exit 1\n` });
  const checked = await wharf(['build', '--check', '--progress', 'quiet', folder]);
  assert.equal(checked.code, 1);
  assert.match(checked.output, /Check complete, \d+ warnings? ha(s|ve) been found!/);
  const clean = await wharf([
    'build',
    '--check',
    '--progress=quiet',
    context({ Dockerfile: `FROM ${BUSYBOX}\nRUN exit 1\n` }),
  ]);
  assert.equal(`${clean.code} ${clean.output}`, '0 Check complete, no warnings found.\n');
  const warned = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nENV A b\n` }));
  assert.match(warned.output, /1 warning found .*\n - LegacyKeyValueFormat: .*\(line 2\)\n$/);
  const targets = await wharf(['build', '--call', 'targets', '--progress=quiet', folder]);
  assert.match(targets.output, /second/);
  const outline = await wharf(['build', '--call=outline,format=json', '--target=first', '--progress=quiet', folder]);
  assert.match(outline.output, /"name":\s*"X"/);
});
