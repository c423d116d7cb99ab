import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LiveEndpoint, NetworkRecord } from '../network.ts';
import { decodeQuestion, encodeName, encodeResponse, RCODE, TYPE } from './codec.ts';
import { NameBook } from './name-book.ts';
import { answerLocally } from './resolver.ts';
import { dnsViewOf } from './view.ts';

function query(name: string, type: number): Buffer {
  const head = Buffer.from([0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, encodeName(name), Buffer.of(0, type, 0, 1)]);
}

const ask = (name: string, type: number) => decodeQuestion(query(name, type)) ?? assert.fail();
const inOrder = <T>(list: readonly T[]): T[] => [...list];

function endpoint(name: string, address: string, more: Partial<LiveEndpoint> = {}): LiveEndpoint {
  return {
    endpointId: `e-${name}`,
    network: { id: 'n1', name: 'net' } as NetworkRecord,
    containerId: name,
    containerName: name,
    ifname: 'eth0',
    address,
    prefixLength: 16,
    mac: '',
    gatewayPriority: 0,
    dnsNames: [name],
    links: [],
    ...more,
  };
}

test('decodeQuestion() reads what encodeName() wrote, in lower case', () => {
  const question = ask('Web.Example', TYPE.A);
  assert.deepEqual(
    [question.id, question.name, question.type, question.recursionDesired, question.udpBytes],
    [0x1234, 'web.example', TYPE.A, true, 512],
  );
});

test('decodeQuestion() takes any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      decodeQuestion(Buffer.from(bytes));
    }),
  );
});

test('decodeQuestion() refuses responses, several questions and compressed names', () => {
  const response = query('a', TYPE.A);
  response[2] = 0x81;
  const two = query('a', TYPE.A);
  two[5] = 2;
  const pointer = query('a', TYPE.A);
  pointer[12] = 0xc0;
  for (const message of [response, two, pointer]) assert.equal(decodeQuestion(message), undefined);
});

test('encodeResponse() marks an answer that does not fit', () => {
  const data = Buffer.of(10, 0, 0, 1);
  const many = Array.from({ length: 100 }, () => ({ type: TYPE.A, ttl: 1, data }));
  const cut = encodeResponse(ask('web', TYPE.A), RCODE.NOERROR, many, 512);
  assert.equal(cut.readUInt16BE(2) & 0x0200, 0x0200);
  assert.equal(cut.readUInt16BE(6), 0);
  assert.equal(encodeResponse(ask('web', TYPE.A), RCODE.NOERROR, many, 65535).readUInt16BE(6), 100);
});

test('NameBook knows names of one network only, several holders of one, and addresses backwards', () => {
  const names = new NameBook();
  const [a, b] = [
    endpoint('a', '10.0.0.2', { dnsNames: ['a', 'Both'] }),
    endpoint('b', '10.0.0.3', { dnsNames: ['b', 'both'] }),
  ];
  names.add(a);
  names.add(b);
  assert.deepEqual(names.lookup('n1', 'BOTH'), ['10.0.0.2', '10.0.0.3']);
  assert.deepEqual(names.lookup('n1', 'a.net'), ['10.0.0.2']);
  assert.deepEqual(names.lookup('n2', 'a'), []);
  assert.equal(names.reverse('n1', '10.0.0.3'), 'b.net');
  names.remove(a);
  assert.deepEqual(names.lookup('n1', 'both'), ['10.0.0.3']);
  assert.deepEqual(names.lookup('n1', 'a'), []);
});

test('answerLocally() answers for containers, empty for families they lack, and leaves the rest to others', () => {
  const names = new NameBook();
  const [web, client] = [endpoint('web', '10.0.0.2'), endpoint('client', '10.0.0.3', { links: ['web:alias'] })];
  names.add(web);
  names.add(client);
  const view = dnsViewOf({ endpoints: [client] }, names);
  const answer = (name: string, type: number): Buffer | undefined => answerLocally(ask(name, type), view, 512, inOrder);
  assert.deepEqual(answer('web', TYPE.A)?.subarray(-4), Buffer.of(10, 0, 0, 2));
  assert.deepEqual(answer('alias', TYPE.A)?.subarray(-4), Buffer.of(10, 0, 0, 2));
  assert.equal(answer('web', TYPE.AAAA)?.readUInt16BE(6), 0);
  assert.equal((answer('web', TYPE.AAAA)?.[3] ?? 15) & 15, RCODE.NOERROR);
  assert.ok(answer('2.0.0.10.in-addr.arpa', TYPE.PTR)?.includes(encodeName('web.net')));
  assert.equal(answer('example.org', TYPE.A), undefined);
});
