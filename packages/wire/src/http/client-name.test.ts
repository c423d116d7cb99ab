import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { nullLogger } from '@wharf/kit';
import type { Plan } from './connection.ts';
import type { Exchange } from './exchange.ts';
import { ServerResponse } from './response.ts';
import { SocketHost } from './socket-host.ts';

class Teller extends SocketHost {
  readonly baseHeaders = '';

  plan(exchange: Exchange): Plan {
    const run = () => new ServerResponse(exchange, undefined).text(200, exchange.clientName ?? 'nobody');
    return { holdInput: false, run };
  }
}

const openssl = (line: string) => promisify(execFile)('openssl', line.split(' '));
const KEY = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';

test('Exchange.clientName is the name in a certificate that the authority vouches for, and in no other', {
  skip: !existsSync('/usr/bin/openssl'),
}, async () => {
  const at = mkdtempSync(join(tmpdir(), 'wharf-tls-'));
  const host = new Teller({ log: nullLogger });
  try {
    await openssl(
      `req -x509 ${KEY} -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${at}/key -out ${at}/ca`,
    );
    await openssl(`req ${KEY} -subj /CN=ann -keyout ${at}/annkey -out ${at}/csr`);
    await openssl(`x509 -req -in ${at}/csr -CA ${at}/ca -CAkey ${at}/key -CAcreateserial -days 2 -out ${at}/ann`);
    await openssl(`req -x509 ${KEY} -days 2 -subj /CN=ann -keyout ${at}/forgedkey -out ${at}/forged`);
    const tls = { cert: `${at}/ca`, key: `${at}/key`, ca: `${at}/ca`, verify: 'optional' } as const;
    const { host: address } = await host.listen('tcp://127.0.0.1:0', { tls });
    const ask = (name?: string) =>
      new Promise<string>((resolve, reject) => {
        const own =
          name === undefined ? {} : { cert: readFileSync(`${at}/${name}`), key: readFileSync(`${at}/${name}key`) };
        const options = {
          port: Number(address.split(':').at(-1)),
          host: '127.0.0.1',
          servername: 'localhost',
          agent: false,
        };
        const sent = request({ ...options, ca: readFileSync(`${at}/ca`), ...own }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('end', () => resolve(text));
        });
        sent.on('error', reject).end();
      });
    assert.equal(await ask(), 'nobody');
    assert.equal(await ask('ann'), 'ann');
    assert.equal(await ask('forged'), 'nobody');
  } finally {
    await host.close();
    rmSync(at, { recursive: true, force: true });
  }
});
