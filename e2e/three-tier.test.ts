import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { applicationRoot } from './lib/debian-root.ts';
import { clientEnvironment } from './lib/docker.ts';
import { composePlugin } from './lib/plugins.ts';
import { daemonForFile, eventually } from './lib/suite.ts';

const IMAGE = 'debian-app:e2e';

const folder = mkdtempSync(join(tmpdir(), 'wharf-three-tier-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const daemon = daemonForFile({
  image: false,
  prepare: async (started) => {
    const imported = await started.docker(['import', await applicationRoot(), IMAGE], {
      timeoutMs: 120_000,
    });
    assert.equal(imported.code, 0, imported.output);
  },
});

const FILES: Readonly<Record<string, string>> = {
  'compose.yml': `
services:
  web:
    image: ${IMAGE}
    command: nginx -g "daemon off;"
    ports: ["127.0.0.1::80"]
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]
    depends_on: [app]
    networks: [front]
  app:
    image: ${IMAGE}
    command: python3 -u /app.py
    init: true
    volumes: ["./app.py:/app.py:ro"]
    environment: { DATABASE: "host=database user=postgres" }
    depends_on: { database: { condition: service_healthy } }
    networks: { front: { aliases: [backend] }, back: {} }
  database:
    image: ${IMAGE}
    command: sh /start-database.sh
    stop_signal: SIGINT
    volumes: ["./start-database.sh:/start-database.sh:ro", "rows:/rows"]
    healthcheck: { test: [CMD, pg_isready, -q, -h, 127.0.0.1, -U, postgres], interval: 1s, retries: 60 }
    mem_limit: 512m
    shm_size: 128m
    networks: [back]
networks: { front: {}, back: { internal: true } }
volumes: { rows: {} }
`,
  'nginx.conf': `
events {}
http {
  access_log /dev/stdout;
  server { listen 80; location / { proxy_pass http://backend:8000; proxy_set_header X-Client $remote_addr; } }
}
`,
  'start-database.sh': `set -e
install -d -m 700 -o postgres /rows/data /run/postgresql
bin=/usr/lib/postgresql/15/bin
if [ ! -e /rows/data/PG_VERSION ]; then
  setpriv --reuid=postgres --regid=postgres --clear-groups $bin/initdb -D /rows/data --auth=trust >/dev/null
  echo 'host all all all trust' >>/rows/data/pg_hba.conf
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups $bin/postgres -D /rows/data -c 'listen_addresses=*'
`,
  'app.py': `
import http.server, os, psycopg2
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with psycopg2.connect(os.environ['DATABASE']) as db, db.cursor() as cursor:
            cursor.execute('create table if not exists visits (who text)')
            cursor.execute('insert into visits values (%s)', (self.headers['X-Client'],))
            cursor.execute('select count(*) from visits')
            body = f'visit {cursor.fetchone()[0]}\\n'.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(('', 8000), Handler).serve_forever()
`,
};

/** The three-tier application of a folder, driven by one Compose client; V1 and V2 differ in a few words only. */
class Application {
  readonly #client: readonly [string, ...string[]];

  constructor(client: readonly [string, ...string[]], project: string) {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
    this.#client = [...client, '-p', project, '-f', 'compose.yml'];
  }

  async compose(...args: readonly string[]): Promise<string> {
    const result = await this.try(...args);
    assert.equal(result.code, 0, `compose ${args.join(' ')}: ${result.output}`);
    return result.stdout.trim();
  }

  try(...args: readonly string[]) {
    return run([...this.#client, ...args], { cwd: folder, env: clientEnvironment(daemon().host), timeoutMs: 120_000 });
  }

  /** Asks the front page until all three tiers answer; returns what it said. */
  async visit(): Promise<string> {
    const address = await this.compose('port', 'web', '80');
    let said = '';
    await eventually(`http://${address} answers`, async () => {
      const page = await run(['curl', '-sf', '--max-time', '10', `http://${address}/`]);
      said = page.stdout.trim();
      return page.code === 0;
    });
    return said;
  }
}

async function live(application: Application): Promise<void> {
  await application.compose('up', '-d');
  assert.equal(await application.visit(), 'visit 1');
  assert.equal(await application.visit(), 'visit 2');
  // Tiers meet only on the networks they share, by names that mean something only there.
  await application.compose('exec', '-T', 'web', 'getent', 'hosts', 'app');
  const unknown = await application.try('exec', '-T', 'web', 'getent', 'hosts', 'database');
  assert.equal(unknown.code, 2, unknown.output);
  // What the database wrote stays, through a restart and through a new set of containers.
  await application.compose('restart', 'database');
  assert.equal(await application.visit(), 'visit 3');
  await application.compose('down');
  await application.compose('up', '-d');
  assert.equal(await application.visit(), 'visit 4');
  assert.match(await application.compose('logs', 'web'), /"GET \/ HTTP\/1.1" 200/);
  await application.compose('down', '-v');
  assert.equal(await daemon().ok('volume', 'ls', '-q'), '');
  assert.equal(await daemon().ok('network', 'ls', '-q', '--filter', 'type=custom'), '');
}

test('nginx, Python and PostgreSQL from Debian live under docker-compose 1.29', async () => {
  await live(new Application(['docker-compose'], 'first'));
});

test('the same application lives under docker compose 2.40', async () => {
  await live(new Application([await composePlugin()], 'second'));
});

test('the application survives a crash of the daemon', async () => {
  const application = new Application([await composePlugin()], 'third');
  await application.compose('up', '-d');
  assert.equal(await application.visit(), 'visit 1');
  await daemon().crash();
  assert.equal(await application.visit(), 'visit 2');
  await application.compose('down', '-v');
});
