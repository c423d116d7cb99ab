import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { ComposeClient } from './lib/compose.ts';
import { slimRoot } from './lib/debian-root.ts';
import { freePort } from './lib/free-port.ts';
import { loadBusybox } from './lib/images.ts';
import { fetchPage, Load } from './lib/load.ts';
import { composePlugin } from './lib/plugins.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'wharf-examples-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What all images of the examples stand on; made from the machine's own Debian address, and under the name it has elsewhere. */
const daemon = daemonForFile({
  image: false,
  prepare: async (started) => {
    const root = await slimRoot();
    const imported = await started.docker(['import', '-c', 'CMD ["bash"]', root, 'debian:bookworm-slim'], {
      timeoutMs: 120_000,
    });
    assert.equal(imported.code, 0, imported.output);
  },
});

interface Example {
  readonly app: ComposeClient;
  readonly url: string;
}

/** A copy of an example with its secrets, as its README says to make them, up and healthy. */
async function example(name: string, secrets: readonly string[]): Promise<Example> {
  cpSync(join(ROOT, 'examples', name), join(folder, name), { recursive: true });
  const port = await freePort();
  const app = new ComposeClient({
    host: daemon().host,
    folder: join(folder, name),
    name: uniqueName(name),
    env: { PORT: String(port) },
  });
  for (const secret of secrets) app.write(`secrets/${secret}`, `it's a "${secret}" \\ of ${name}\n`);
  await up(app, '--build');
  return { app, url: `http://localhost:${port}` };
}

/** Up, until everything is healthy. */
async function up(app: ComposeClient, ...options: readonly string[]): Promise<void> {
  const result = await app.try(['up', '-d', '--wait', ...options], { timeoutMs: 300_000 });
  assert.equal(result.code, 0, result.output.slice(-3000));
}

/** What the page said while something was done; every request was answered. */
async function underLoad({ app, url }: Example, work: () => Promise<void>): Promise<readonly string[]> {
  const load = new Load(url);
  try {
    await eventually('the page is asked for', () => Promise.resolve(load.bodies.length > 3));
    await work();
  } finally {
    await load.stop();
  }
  if (load.failures.length > 0) {
    const logs = await app.try(['logs', '--timestamps', '--tail', '30']);
    const states = await app.try(['ps', '--all']);
    assert.fail(`${load.failures.join('\n')}\nof ${load.bodies.length} requests\n${states.output}\n${logs.output}`);
  }
  return load.bodies;
}

const post = async (
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) => fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' });

describe('examples', { concurrency: true }, () => {
  test('hello: what README begins with', async () => {
    await loadBusybox(daemon().host, { reference: 'wharf/demo:latest' });
    const { app, url } = await example('hello', []);
    assert.match(await fetchPage(url), /^Hello from [0-9a-f]{12}, /);
    const moin = app.with({ GREETING: 'Moin' });
    await underLoad({ app, url }, () => up(moin));
    await eventually('the page is new', async () => (await fetchPage(url)).startsWith('Moin '));
    await app.ok('down', '-v');
  });

  test('web: visits are counted over down and up; replicas and the proxy are renewed without a lost request', async () => {
    const { app, url } = await example('web', []);
    assert.match(await fetchPage(url), /^hello from [0-9a-f]{12}, visit 1\n$/);
    await app.ok('down');
    await up(app);
    assert.match(await fetchPage(url), /visit 2\n$/);

    // Docker's own client sees the same project, and nothing to do.
    const containers = await app.ok('ps', '-q');
    await up(app.by(await composePlugin()));
    assert.equal(await app.ok('ps', '-q'), containers);

    const moin = app.with({ GREETING: 'moin' });
    const said = await underLoad({ app, url }, () => up(moin));
    assert.match(said[0] ?? '', /^hello /);
    assert.match(await fetchPage(url), /^moin /);
    const visits = said.map((line) => Number(/visit (\d+)/.exec(line)?.[1]));
    assert.equal(new Set(visits).size, visits.length, 'no visit is counted twice');
    await eventually('both replicas answer', async () => {
      const pages = await Promise.all(Array.from({ length: 8 }, () => fetchPage(url)));
      return new Set(pages.map((page) => page.split(',')[0])).size === 2;
    });

    const config = readFileSync(join(app.folder, 'proxy/nginx.conf'), 'utf8');
    app.write('proxy/nginx.conf', config.replace('return 200 "ok\\n"', 'return 200 "renewed\\n"'));
    await underLoad({ app, url }, () => up(moin, '--build'));
    assert.equal(await fetchPage(`${url}/health`), 'renewed\n');
    await moin.ok('down', '-v', '--rmi', 'local');
  });

  test('wordpress: a site is made once and kept over down and up; a change of it loses no request', async () => {
    const { app, url } = await example('wordpress', ['db_password', 'admin_password']);
    const home = await fetchPage(url);
    assert.match(home, /<title>A site on wharf<\/title>/);
    assert.match(home, /Hello world!/);
    const comment = { comment_post_ID: '1', author: 'Ada', email: 'ada@example.org', comment: 'Kept over down and up' };
    assert.equal((await post(`${url}/wp-comments-post.php`, comment)).status, 302);
    await app.ok('down');
    await up(app);
    const select = 'select comment_author from wp_comments where comment_content = "Kept over down and up"';
    assert.equal(await app.ok('exec', '-T', 'db', 'mariadb', '-N', '-e', select, 'wordpress'), 'Ada');
    assert.match(await app.ok('logs', '--no-log-prefix', 'install'), /There is a site already/);
    const login = { log: 'admin', pwd: `it's a "admin_password" \\ of wordpress`, testcookie: '1' };
    const answer = await post(`${url}/wp-login.php`, login, { Cookie: 'wordpress_test_cookie=WP%20Cookie%20check' });
    assert.match(answer.headers.get('location') ?? '', /\/wp-admin\/$/);

    const noted = app.with({ SITE_NOTE: 'A note on each page' });
    await underLoad({ app, url }, () => up(noted));
    assert.match(await fetchPage(url), /A note on each page/);
    await noted.ok('down', '-v', '--rmi', 'local');
  });

  test('postgres: notes are kept over down and up; a backup is brought back; a new application loses no request', async () => {
    const { app, url } = await example('postgres', ['db_password']);
    assert.equal((await post(url, { text: 'milk & bread' })).status, 303);
    await app.ok('down');
    await up(app);
    assert.match(await fetchPage(url), /<li>milk &amp; bread<\/li>/);

    // The job backs up when it starts; up waits for the backup, since without one it is not healthy.
    await app.ok('exec', '-T', 'backup', 'sh', '-c', 'rm /backups/*');
    await app.ok('restart', 'backup');
    await up(app);
    await app.ok('exec', '-T', 'db', 'psql', '-qc', 'truncate notes', 'notes');
    assert.doesNotMatch(await fetchPage(url), /<li>/);
    assert.match(await app.ok('run', '--rm', '-T', 'restore'), /^restored \/backups\/\S+\.dump$/m);
    assert.match(await fetchPage(url), /<li>milk &amp; bread<\/li>/);

    const titled = app.with({ TITLE: 'To buy' });
    await underLoad({ app, url }, () => up(titled));
    assert.match(await fetchPage(url), /<h1>To buy<\/h1>/);
    await titled.ok('down', '-v', '--rmi', 'local');
  });

  test('monitoring: series are kept over down and up; another exporter leaves no gap', async () => {
    const { app, url } = await example('monitoring', []);
    const ask = async (query: string, time = '') => {
      const text = await fetchPage(`${url}/api/v1/query?query=${encodeURIComponent(query)}${time}`);
      const { data } = JSON.parse(text) as { data: { result: { metric: { job: string }; value: [number, string] }[] } };
      return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job, value[1]]));
    };
    const bothUp = async () => {
      await eventually('both targets are up', async () => {
        const answer = await ask('up');
        return answer['machine'] === '1' && answer['prometheus'] === '1';
      });
    };
    await bothUp();
    assert.match(await fetchPage(`${url}/classic/graph`), /Prometheus/);
    assert.ok(Number((await ask('sum by (job) (node_memory_MemTotal_bytes)'))['machine']) > 2 ** 28);
    const before = Date.now() / 1000;
    await app.ok('down');
    await up(app);
    assert.equal((await ask('up', `&time=${before}`))['machine'], '1');
    await bothUp();

    await underLoad({ app, url: `${url}/api/v1/query?query=up` }, () => up(app.with({ NOTE: 'another' })));
    await bothUp();
    assert.equal(await app.ok('ps', '-q', 'node-exporter').then((ids) => ids.split('\n').length), 1);
    await app.ok('down', '-v', '--rmi', 'local');
  });
});
