import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { ApiRequest, ApiResponse, Route } from './route.ts';
import { startTestServer } from './testing.ts';

const docker = ['/usr/local/bin/docker', '/usr/bin/docker'].find((path) => existsSync(path));

const ping = (_request: ApiRequest, response: ApiResponse): void => response.text(200, '');

const routes: readonly Route[] = [
  { method: 'HEAD', pattern: '/_ping', handler: ping },
  { method: 'GET', pattern: '/_ping', handler: ping },
  {
    method: 'GET',
    pattern: '/version',
    handler: (q, r) =>
      r.json(200, { Version: '9.9', ApiVersion: '1.56', MinAPIVersion: '1.24', Os: `v${q.version.minor}` }),
  },
];

test('the docker CLI negotiates its version with the server', { skip: docker === undefined }, async () => {
  await using server = await startTestServer(routes);
  const run = (...args: string[]) =>
    promisify(execFile)(docker ?? '', ['-H', server.host, ...args], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    });
  const { stdout } = await run('version', '--format', '{{.Client.APIVersion}} {{.Server.Version}} {{.Server.Os}}');
  const [client, version, os] = stdout.trim().split(' ');
  assert.equal(version, '9.9');
  assert.equal(os, `v${client?.split('.')[1]}`);
  await assert.rejects(run('ps'), /page not found/);
});
