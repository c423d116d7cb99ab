import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerCache, cacheKey } from './cache.ts';
import { answers, decodeQuestion, encodeName, encodeResponse, encodeTruncated, RCODE, TYPE } from './codec.ts';
import { NameBook, type NamedEndpoint } from './name-book.ts';
import { answerLocally, reverseAddress } from './resolver.ts';
import { dnsViewOf } from './view.ts';

function query(name: string, type: number): Buffer {
  const head = Buffer.from([0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, encodeName(name), Buffer.of(0, type, 0, 1)]);
}

const ask = (name: string, type: number) => decodeQuestion(query(name, type)) ?? assert.fail();
const inOrder = <T>(list: readonly T[]): T[] => [...list];

function endpoint(name: string, addresses: readonly string[], dnsNames = [name]): NamedEndpoint {
  return { endpointId: `e-${name}`, networkId: 'n1', networkName: 'net', addresses, dnsNames };
}

test('decodeQuestion() reads what encodeName() wrote, in lower case', () => {
  const question = ask('Web.Example', TYPE.A);
  assert.deepEqual(
    [question.id, question.name, question.type, question.flags, question.udpBytes],
    [0x1234, 'web.example', TYPE.A, 0x0100, 512],
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
  names.add(endpoint('a', ['10.0.0.2', 'fd00::2'], ['a', 'Both']));
  names.add(endpoint('b', ['10.0.0.3'], ['b', 'both']));
  assert.deepEqual(names.lookup('n1', 'BOTH'), ['10.0.0.2', 'fd00::2', '10.0.0.3']);
  assert.deepEqual(names.lookup('n1', 'a.net'), ['10.0.0.2', 'fd00::2']);
  assert.deepEqual(names.lookup('n2', 'a'), []);
  assert.equal(names.reverse('n1', '10.0.0.3'), 'b.net');
  assert.equal(names.reverse('n1', 'fd00::2'), 'a.net');
  names.add(endpoint('a', ['10.0.0.9'], ['a']));
  assert.deepEqual(names.lookup('n1', 'both'), ['10.0.0.3']);
  assert.equal(names.reverse('n1', 'fd00::2'), undefined);
  names.remove('e-a');
  assert.deepEqual(names.lookup('n1', 'a'), []);
});

test('NameBook passes by containers that are to be avoided, as long as another has the name', () => {
  const names = new NameBook();
  names.add(endpoint('old', ['10.0.0.2'], ['old', 'web']));
  names.add({ ...endpoint('new', ['10.0.0.3'], ['new', 'web']), avoided: true });
  assert.deepEqual(names.lookup('n1', 'web'), ['10.0.0.2']);
  assert.deepEqual(names.lookup('n1', 'new'), ['10.0.0.3']);
  names.add({ ...endpoint('old', ['10.0.0.2'], ['old', 'web']), avoided: true });
  assert.deepEqual(names.lookup('n1', 'web'), ['10.0.0.3', '10.0.0.2']);
  names.add(endpoint('new', ['10.0.0.3'], ['new', 'web']));
  assert.deepEqual(names.lookup('n1', 'web'), ['10.0.0.3']);
  names.remove('e-new');
  assert.deepEqual(names.lookup('n1', 'web'), ['10.0.0.2']);
});

test('answerLocally() answers for containers in either family, empty for what they lack, and leaves the rest to others', () => {
  const names = new NameBook();
  names.add(endpoint('web', ['10.0.0.2']));
  names.add(endpoint('dual', ['10.0.0.3', 'fd00::3']));
  const view = dnsViewOf([{ id: 'n1', links: ['web:alias'] }], names);
  const answer = (name: string, type: number): Buffer | undefined => answerLocally(ask(name, type), view, 512, inOrder);
  assert.deepEqual(answer('web', TYPE.A)?.subarray(-4), Buffer.of(10, 0, 0, 2));
  assert.deepEqual(answer('alias', TYPE.A)?.subarray(-4), Buffer.of(10, 0, 0, 2));
  assert.equal(answer('web', TYPE.AAAA)?.readUInt16BE(6), 0);
  assert.equal((answer('web', TYPE.AAAA)?.[3] ?? 15) & 15, RCODE.NOERROR);
  assert.deepEqual(answer('dual', TYPE.AAAA)?.subarray(-2), Buffer.of(0, 3));
  assert.equal(answer('dual', TYPE.ANY)?.readUInt16BE(6), 2);
  assert.ok(answer('2.0.0.10.in-addr.arpa', TYPE.PTR)?.includes(encodeName('web.net')));
  const reversed = `3.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`;
  assert.ok(answer(reversed, TYPE.PTR)?.includes(encodeName('dual.net')));
  assert.equal(answer('example.org', TYPE.A), undefined);
});

test('reverseAddress() takes any text', () => {
  fc.assert(fc.property(fc.string(), (text) => void reverseAddress(`${text}.ip6.arpa`)));
  assert.equal(reverseAddress('1.2.3.in-addr.arpa'), undefined);
});

/** A response with one answer, or with none and a SOA. */
function response(name: string, options: { ttl: number; negative?: boolean }): Buffer {
  const asked = ask(name, TYPE.A);
  const soa = Buffer.concat([Buffer.of(0, 0), Buffer.alloc(16), Buffer.of(0, 0, 0, 7)]);
  const answer = options.negative
    ? { type: TYPE.SOA, ttl: options.ttl, data: soa }
    : { type: TYPE.A, ttl: options.ttl, data: Buffer.of(1, 2, 3, 4) };
  const message = encodeResponse(asked, options.negative ? RCODE.NXDOMAIN : RCODE.NOERROR, [answer], 512);
  if (options.negative) {
    message.writeUInt16BE(0, 6);
    message.writeUInt16BE(1, 8);
  }
  return message;
}

test('AnswerCache keeps an answer for its time to live, which runs on', () => {
  const cache = new AnswerCache();
  const asked = { ...ask('Example.ORG', TYPE.A), id: 0x7777 };
  cache.put('k', response('example.org', { ttl: 60 }), 1000);
  const cached = cache.get('k', asked, 11_000) ?? assert.fail();
  assert.equal(cached.readUInt16BE(0), 0x7777);
  assert.ok(cached.includes('Example'));
  assert.equal(cached.readUInt32BE(cached.length - 10), 50);
  assert.equal(cache.get('k', asked, 61_000), undefined);
});

test('AnswerCache keeps a refusal for as long as its SOA says, and no error', () => {
  const cache = new AnswerCache();
  cache.put('no', response('no.example', { ttl: 60, negative: true }), 0);
  assert.ok(cache.get('no', ask('no.example', TYPE.A), 6000));
  assert.equal(cache.get('no', ask('no.example', TYPE.A), 7000), undefined);
  cache.put('bad', encodeResponse(ask('a', TYPE.A), RCODE.SERVFAIL, [], 512), 0);
  cache.put('cut', encodeTruncated(ask('a', TYPE.A)), 0);
  assert.equal(cache.size, 0);
});

test('AnswerCache is bounded and takes any bytes', () => {
  const cache = new AnswerCache();
  for (let index = 0; index < 5000; index++) cache.put(String(index), response('a.example', { ttl: 60 }), 0);
  assert.ok(cache.size <= 4096);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 300 }), (bytes) => {
      const message = Buffer.from(bytes);
      message.writeUInt16BE(0x8180, 2);
      message.writeUInt16BE(1, 4);
      cache.put('any', message, 0);
      cache.get('any', ask('any', TYPE.A), 1);
    }),
  );
});

test('cacheKey() tells apart what is answered differently, and leaves questions with EDNS options alone', () => {
  const plain = query('a.example', TYPE.A);
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0]);
  const withEdns = Buffer.concat([plain, opt]);
  const cookie = Buffer.concat([withEdns.subarray(0, -1), Buffer.of(4, 0, 10, 0, 0)]);
  const key = (message: Buffer): string | undefined => cacheKey(decodeQuestion(message) ?? assert.fail(), 's');
  assert.notEqual(key(plain), key(withEdns));
  assert.equal(key(cookie), undefined);
  assert.equal(decodeQuestion(withEdns)?.udpBytes, 1232);
});

test('answers() takes only what answers the very question', () => {
  const asked = query('a.example', TYPE.A);
  assert.ok(answers(response('A.example', { ttl: 1 }), asked));
  assert.ok(!answers(response('b.example', { ttl: 1 }), asked));
  assert.ok(!answers(asked, asked));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void answers(Buffer.from(bytes), asked)));
});
