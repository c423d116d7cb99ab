import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseGitReference } from './git-reference.ts';
import { GitRepositories } from './git-repositories.ts';
import { GitTestServer } from './test-server.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-git-'));
const server = new GitTestServer(mkdtempSync(join(scratch, 'served-')));
const repositories = new GitRepositories(join(scratch, 'kept'));
const few = new GitRepositories(join(scratch, 'few'), { keep: 2 });
const signal = new AbortController().signal;
let url = '';
let first = '';
let second = '';
before(async () => {
  url = await server.start();
  first = server.commit('app', { file: 'one', 'tool.sh': '#!/bin/sh\n', 'docs/guide': 'how' });
  server.git('app', 'tag', '-a', '-m', 'first', 'v1');
  second = server.commit('app', { file: 'two' });
  server.push('app', 'v1');
});
after(async () => {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

interface Wish {
  readonly keepGitDir?: boolean;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly from?: GitRepositories;
}

function checkout(address: string, { keepGitDir = false, secrets = {}, from = repositories }: Wish = {}) {
  const reference = parseGitReference(address.startsWith('/') ? url + address : address);
  if (reference === undefined) throw new Error(`no repository: ${address}`);
  const asked = async (id: string) => (secrets[id] === undefined ? undefined : Buffer.from(secrets[id]));
  const lent = { secret: asked, sshAgent: () => Promise.resolve(undefined) };
  return from.checkout(reference, mkdtempSync(join(scratch, 'out-')), { keepGitDir, secrets: lent, signal });
}

test('GitRepositories.checkout() gives a branch, a tag, a commit and a directory of a repository', async () => {
  const head = await checkout('/app.git');
  assert.equal(head.commit, second);
  assert.deepEqual(readdirSync(head.path).sort(), ['docs', 'file', 'tool.sh']);
  assert.equal(statSync(join(head.path, 'tool.sh')).mode & 0o777, 0o755);
  assert.equal(statSync(join(head.path, 'file')).mode & 0o777, 0o644);
  assert.equal((await checkout('/app.git#main')).commit, second);
  const tagged = await checkout('/app.git#v1');
  assert.equal(tagged.commit, first);
  assert.equal(readFileSync(join(tagged.path, 'file'), 'utf8'), 'one');
  assert.equal((await checkout(`/app.git#${first}`)).commit, first);
  assert.deepEqual(readdirSync((await checkout('/app.git?tag=v1&subdir=docs')).path), ['guide']);
});

test('GitRepositories.checkout() fetches a commit once', async () => {
  const commit = server.commit('once', { file: 'x' });
  await checkout(`/once.git#${commit}`);
  server.requests.length = 0;
  await checkout(`/once.git#${commit}`);
  assert.equal(server.requests.length, 0);
  await checkout('/once.git');
  assert.equal(server.requests.filter((line) => line.startsWith('POST')).length <= 1, true, server.requests.join('\n'));
});

test('GitRepositories.checkout() keeps the .git directory when asked, without secrets in it', async () => {
  const kept = await checkout(`${url.replace('://', '://me:sesame@')}/app.git`, { keepGitDir: true });
  assert.equal(existsSync(join(kept.path, '.git/HEAD')), true);
  const config = readFileSync(join(kept.path, '.git/config'), 'utf8');
  assert.match(config, /url = http:\/\/127\.0\.0\.1:\d+\/app\.git/);
  assert.doesNotMatch(config, /sesame/);
  assert.equal(readFileSync(join(kept.path, '.git/HEAD'), 'utf8'), 'ref: refs/heads/main\n');
});

test('GitRepositories.checkout() checks the commit', async () => {
  assert.equal((await checkout(`/app.git?checksum=${first.slice(0, 12)}#v1`)).commit, first);
  await assert.rejects(checkout(`/app.git?checksum=${first}#main`), {
    kind: 'data-loss',
    message: `expected checksum to match ${first}, got ${second}`,
  });
  await assert.rejects(checkout('/app.git#absent'), { kind: 'not-found', message: /does not contain ref "absent"/ });
  await assert.rejects(checkout(`/app.git#${'0'.repeat(40)}`), { kind: 'not-found' });
  await assert.rejects(checkout('/app.git#main:absent'), { kind: 'not-found', message: /has no directory "absent"/ });
});

test('GitRepositories.checkout() takes the time of the commit, and the commit for what the ref is', async () => {
  const { path } = await checkout('/app.git?mtime=commit');
  assert.equal(statSync(join(path, 'docs/guide')).mtime.toISOString(), '2020-01-02T03:04:05.000Z');
  assert.equal((await checkout(`/app.git?branch=gone&fetch-by-commit&checksum=${first}`)).commit, first);
});

test('GitRepositories.checkout() takes files from a web server that knows nothing of git', async () => {
  const commit = server.commit('dumb', { file: 'x' });
  server.dumb = true;
  try {
    assert.equal((await checkout('/dumb.git')).commit, commit);
  } finally {
    server.dumb = false;
  }
});

test('GitRepositories.checkout() sends a secret to the repository, and shows it nowhere', async () => {
  server.commit('locked', { file: 'x' });
  server.authorization = `basic ${Buffer.from('x-access-token:sesame').toString('base64')}`;
  const host = new URL(url).host;
  try {
    await checkout('/locked.git', { secrets: { GIT_AUTH_TOKEN: 'sesame' } });
    await checkout('/locked.git', { secrets: { GIT_AUTH_TOKEN: 'wrong', [`GIT_AUTH_TOKEN.${host}`]: 'sesame' } });
    await checkout('/locked.git', { secrets: { GIT_AUTH_HEADER: server.authorization } });
    await assert.rejects(checkout('/locked.git'), {
      kind: 'unavailable',
      message: /Authentication failed|could not read/,
    });
    await assert.rejects(
      checkout(`${url.replace('://', '://me:hunter2@')}/locked.git`, { secrets: { GIT_AUTH_TOKEN: 'opensays' } }),
      (error) =>
        !/hunter2|opensays/.test(String(error)) && !String(error).includes(Buffer.from('opensays').toString('base64')),
    );
  } finally {
    server.authorization = undefined;
  }
});

test('GitRepositories.checkout() brings submodules, and runs nothing that a repository names', async () => {
  server.commit('part', { inner: 'x' });
  const mark = join(scratch, 'ran');
  server.commit('whole', {
    file: 'x',
    '.gitattributes': '* filter=evil\n',
    'hooks/post-checkout.sh': `#!/bin/sh\ntouch ${mark}\n`,
  });
  mkdirSync(join(server.git('whole', 'rev-parse', '--show-toplevel').trim(), 'sub'));
  const part = server.git('part', 'rev-parse', 'HEAD').trim();
  server.git('whole', 'update-index', '--add', '--cacheinfo', `160000,${part},sub`);
  server.git('whole', 'config', '-f', '.gitmodules', 'submodule.sub.path', 'sub');
  server.git('whole', 'config', '-f', '.gitmodules', 'submodule.sub.url', `${url}/part.git`);
  server.commit('whole', {});
  const whole = await checkout('/whole.git');
  assert.deepEqual(readdirSync(join(whole.path, 'sub')), ['inner']);
  assert.deepEqual(readdirSync(join((await checkout('/whole.git?submodules=0')).path, 'sub')), []);
  // A submodule that lies on this host, and one that would be a command.
  for (const address of [`file://${scratch}/served-x`, `ext::sh -c touch% ${mark}`, '../../etc']) {
    server.git('whole', 'config', '-f', '.gitmodules', 'submodule.sub.url', address);
    server.commit('whole', {});
    await assert.rejects(checkout('/whole.git'), { kind: 'unavailable' }, address);
  }
  assert.equal(existsSync(mark), false);
});

test('GitRepositories.checkout() follows no link of a repository out of it', async () => {
  server.commit('links', { file: 'x' });
  symlinkSync('/etc', join(server.git('links', 'rev-parse', '--show-toplevel').trim(), 'out'));
  server.commit('links', {});
  await assert.rejects(checkout('/links.git#main:out'), { kind: 'not-found' });
});

test('GitRepositories lists its copies and removes them', async () => {
  await checkout('/app.git');
  const before = await repositories.list();
  assert.equal(before.length > 0 && before.every(({ inUse, path }) => !inUse && existsSync(path)), true);
  for (const { id } of before) assert.equal(await repositories.remove(id), true);
  assert.deepEqual(await repositories.list(), []);
  assert.equal(await repositories.remove('../escape'), false);
  assert.equal((await checkout('/app.git')).commit, second);
});

test('GitRepositories keeps copies of the repositories used last', async () => {
  for (const name of ['n1', 'n2', 'n3']) {
    server.commit(name, { file: name });
    await checkout(`/${name}.git`, { from: few });
  }
  assert.equal((await few.list()).length, 2);
});
