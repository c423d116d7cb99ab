import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sshCommand } from './dial-ssh.ts';
import { contextName, findEndpoint } from './endpoint.ts';
import { normalizeHost } from './host-address.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-endpoint-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('findEndpoint() takes the flag, WHARF_HOST, DOCKER_HOST, and then the context', () => {
  const id = createHash('sha256').update('far').digest('hex');
  mkdirSync(join(scratch, 'contexts/meta', id), { recursive: true });
  mkdirSync(join(scratch, 'contexts/tls', id, 'docker'), { recursive: true });
  writeFileSync(
    join(scratch, 'contexts/meta', id, 'meta.json'),
    JSON.stringify({ Name: 'far', Endpoints: { docker: { Host: 'tcp://far:2376' } } }),
  );
  writeFileSync(join(scratch, 'contexts/tls', id, 'docker/ca.pem'), 'CA');
  const env = { WHARF_HOST: 'unix:///w', DOCKER_HOST: 'unix:///d', DOCKER_CONFIG: scratch, DOCKER_CONTEXT: 'far' };
  assert.equal(findEndpoint({ host: 'unix:///f' }, env).host, 'unix:///f');
  assert.equal(findEndpoint({}, env).host, 'unix:///w');
  assert.equal(findEndpoint({ context: 'far' }, env).host, 'tcp://far:2376');
  assert.equal(findEndpoint({}, { ...env, WHARF_HOST: '' }).host, 'unix:///d');
  const context = { DOCKER_CONFIG: scratch, DOCKER_CONTEXT: 'far' };
  assert.deepEqual(findEndpoint({}, context), {
    host: 'tcp://far:2376',
    tls: { ca: Buffer.from('CA'), skipVerify: false },
  });
  writeFileSync(join(scratch, 'config.json'), '{"currentContext":"far"}');
  assert.equal(findEndpoint({}, { DOCKER_CONFIG: scratch }).host, 'tcp://far:2376');
  assert.equal(contextName({}, { DOCKER_CONFIG: scratch }), 'far');
  assert.equal(contextName({ host: 'unix:///f' }, { DOCKER_CONFIG: scratch }), 'default');
  const none = createHash('sha256').update('none').digest('hex');
  assert.throws(() => findEndpoint({}, { ...context, DOCKER_CONTEXT: 'none' }), {
    message: `context "none": context not found: open ${scratch}/contexts/meta/${none}/meta.json: no such file or directory`,
  });
  assert.throws(() => findEndpoint({ host: 'unix:///f', context: 'far' }, env), /conflicting options/);
  assert.match(findEndpoint({}, { DOCKER_CONFIG: '/nowhere' }).host, /^unix:\/\//);
});

test('findEndpoint() reads certificates where flags or the environment ask for TLS', () => {
  const directory = mkdtempSync(join(scratch, 'certs-'));
  writeFileSync(join(directory, 'cert.pem'), 'CERT');
  const env = { DOCKER_HOST: 'tcp://d:1', DOCKER_CERT_PATH: directory };
  assert.deepEqual(findEndpoint({}, env), { host: 'tcp://d:1' });
  const cert = Buffer.from('CERT');
  assert.deepEqual(findEndpoint({}, { ...env, DOCKER_TLS_VERIFY: '1' }).tls, { cert, skipVerify: false });
  assert.equal(findEndpoint({}, { ...env, DOCKER_TLS: '1' }).tls?.skipVerify, true);
  assert.deepEqual(findEndpoint({ tls: { tls: true } }, env).tls, { cert, skipVerify: true });
  assert.deepEqual(findEndpoint({ tls: { verify: true } }, env).tls, { cert, skipVerify: false });
  assert.deepEqual(findEndpoint({ host: 'unix:///f', tls: { verify: true } }, env), { host: 'unix:///f' });
  assert.throws(() => findEndpoint({ tls: { tls: true, ca: `${directory}/ca` } }, env), /ca: no such file/);
});

test('normalizeHost() fills in what docker fills in', () => {
  const pairs = [
    ['localhost:5555', 'tcp://localhost:5555'],
    ['tcp://', 'tcp://localhost:2375'],
    ['tcp://[::1]', 'tcp://[::1]:2375'],
    [':77', 'tcp://localhost:77'],
    ['unix://', 'unix:///var/run/docker.sock'],
    [' ssh://me@there ', 'ssh://me@there'],
  ] as const;
  for (const [given, wanted] of pairs) assert.equal(normalizeHost(given), wanted);
  assert.throws(() => normalizeHost('gopher://x'), { message: 'invalid bind address format: gopher://x' });
  assert.throws(() => normalizeHost('tcp://a:b:c'), { message: 'invalid bind address format: a:b:c' });
});

test('sshCommand() says user, port and socket, and quotes what a shell would read', () => {
  const words = sshCommand("ssh://me@there:2222/run/it's.sock");
  assert.deepEqual(words.slice(3, -3), ['-T', '-l', 'me', '-p', '2222', '--', 'there']);
  assert.ok(!/[^\\']'s\.sock/.test(words.at(-1) ?? ''));
  assert.match(
    sshCommand('ssh://there').join(' '),
    /-T -- there sh -c 'command -v wharf .*exec docker system dial-stdio'$/,
  );
  assert.throws(() => sshCommand('ssh://me:secret@there'), /plain-text password is not supported/);
  assert.throws(() => sshCommand('ssh://there?x'), /query parameters are not allowed/);
});
