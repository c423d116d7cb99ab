import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { DockerClient } from './client.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-client-tls-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function certificate(name: string): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const [cert, key] = [join(scratch, `${name}.pem`), join(scratch, `${name}-key.pem`)];
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1`;
  await promisify(execFile)('openssl', [...args.split(' '), '-keyout', key, '-out', cert]);
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

test('TLS: the daemon is verified, and is shown the own certificate; hijacked connections go through it', {
  skip: !existsSync('/usr/bin/openssl'),
}, async () => {
  const [daemon, mine] = [await certificate('daemon'), await certificate('client')];
  const server = createServer(
    { ...daemon, ca: mine.cert, requestCert: true, rejectUnauthorized: true },
    (_, response) => {
      response.end('{"ok":true}');
    },
  );
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\n\r\n');
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = (tls?: object) =>
    new DockerClient({ endpoint: { host, ...(tls === undefined ? {} : { tls: { skipVerify: false, ...tls } }) } });
  try {
    const known = client({ ca: daemon.cert, ...mine });
    assert.deepEqual(await known.json('GET', '/x'), { ok: true });
    const { stream } = await known.hijack('POST', '/attach');
    stream.end('echo');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    assert.equal(text, 'echo');
    known.close();
    await assert.rejects(client(mine).json('GET', '/x'), /failed to verify certificate: x509/);
    await assert.rejects(client({ ca: daemon.cert }).json('GET', '/x'), {
      kind: 'unavailable',
      message: /error during connect/,
    });
    await assert.rejects(client().json('GET', '/x'), { kind: 'unavailable' });
    const careless = client({ ...mine, skipVerify: true });
    assert.deepEqual(await careless.json('GET', '/x'), { ok: true });
    careless.close();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
