import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { promisify } from 'node:util';
import { nullLogger } from '@wharf/kit';
import { createHttpServer } from './server.ts';

const hasOpenssl = existsSync('/usr/bin/openssl');

async function makeCertificate(cert: string, key: string, name = 'localhost'): Promise<void> {
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1`;
  await promisify(execFile)('openssl', [...args.split(' '), '-keyout', key, '-out', cert]);
}

/** The common name of the certificate that is shown. */
function shownName(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('renewCertificates() shows the new certificate, and keeps the old one when the files do not fit together', {
  skip: !hasOpenssl,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-tls-'));
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  await makeCertificate(cert, key, 'first');
  const server = createHttpServer({ routes: [], log: nullLogger, serverVersion: '0' });
  try {
    const { host } = await server.listen('tcp://127.0.0.1:0', { tls: { cert, key } });
    const port = Number(host.split(':').at(-1));
    assert.equal(await shownName(port), 'first');
    await makeCertificate(cert, key, 'second');
    server.renewCertificates();
    assert.equal(await shownName(port), 'second');
    await makeCertificate(cert, join(dir, 'other.pem'), 'third');
    assert.throws(() => server.renewCertificates(), /mismatch/);
    assert.equal(await shownName(port), 'second');
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

test('HttpServer.listen() speaks TLS and refuses clients without a certificate when told to', {
  skip: !hasOpenssl,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-tls-'));
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  await makeCertificate(cert, key);
  const server = createHttpServer({
    routes: [
      {
        method: 'POST',
        pattern: '/attach',
        hijack: true,
        handler: (_q, r) => {
          const { stream } = r.hijack('application/vnd.docker.raw-stream');
          stream.on('data', (chunk) => stream.write(chunk));
          stream.on('end', () => stream.end('bye'));
        },
      },
    ],
    log: nullLogger,
    serverVersion: '0',
  });
  try {
    const { host } = await server.listen('tcp://127.0.0.1:0', { tls: { cert, key, ca: cert, verify: true } });
    const port = Number(host.split(':').at(-1));
    const ask = (credentials: ConnectionOptions): Promise<string> =>
      new Promise((resolve, reject) => {
        const options: ConnectionOptions & { allowHalfOpen: boolean } = {
          port,
          host: '127.0.0.1',
          ca: readFileSync(cert),
          allowHalfOpen: true,
          ...credentials,
        };
        const socket = connect(options);
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString();
        });
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
        socket.end('POST /attach HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello');
      });
    assert.match(await ask({ cert: readFileSync(cert), key: readFileSync(key) }), /^HTTP\/1.1 101 [\s\S]*hellobye$/);
    await assert.rejects(ask({}));
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
