import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { WharfError } from '@wharf/kit';
import fc from 'fast-check';
import { GrpcClient } from './client.ts';
import { FrameReader, frame } from './framing.ts';
import { decode, encode, encodeHead, message } from './protobuf.ts';
import { type GrpcCall, type GrpcMethods, serveGrpc } from './server.ts';
import { GrpcError, percentDecode, percentEncode } from './status.ts';

const Inner = message('Inner', { 1: ['text', 'string'] });
const Everything = message('Everything', {
  1: ['text', 'string'],
  2: ['bytes', 'bytes'],
  3: ['int', 'int'],
  4: ['big', 'bigint'],
  5: ['flag', 'bool'],
  6: ['inner', Inner],
  7: ['texts', ['string']],
  8: ['inners', [Inner]],
  9: ['map', { map: 'string' }],
  10: ['numbers', ['int']],
  11: ['places', { map: Inner }],
});

test('encodeHead() leaves only the last field to be added', () => {
  const bytes = Buffer.alloc(300, 7);
  const head = encodeHead(Everything, { text: 'a', int: 5 }, { name: 'bytes', length: bytes.length });
  const {
    text,
    int,
    bytes: read,
  } = decode<{ text: string; int: number; bytes: Buffer }>(Everything, Buffer.concat([head, bytes]));
  assert.deepEqual({ text, int }, { text: 'a', int: 5 });
  assert.ok(bytes.equals(read));
  assert.throws(() => encodeHead(Inner, {}, { name: 'none', length: 1 }), TypeError);
});

test('decode() gives back what encode() was given', () => {
  const plain = { noNullPrototype: true } as const;
  const inner = fc.record({ text: fc.string() }, plain);
  const everything = fc.record(
    {
      text: fc.string({ unit: 'binary' }),
      bytes: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      int: fc.maxSafeInteger(),
      big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      flag: fc.boolean(),
      inner: fc.option(inner, { nil: undefined }),
      texts: fc.array(fc.string()),
      inners: fc.array(inner),
      map: fc.dictionary(fc.string(), fc.string(), plain),
      numbers: fc.array(fc.maxSafeInteger()),
      places: fc.dictionary(fc.string(), inner, plain),
    },
    plain,
  );
  fc.assert(fc.property(everything, (value) => assert.deepEqual(decode(Everything, encode(Everything, value)), value)));
});

test('encode() writes what protoc writes', () => {
  assert.equal(encode(Everything, { text: 'hi', int: 150, flag: true }).toString('hex'), '0a02686918960128' + '01');
  assert.equal(encode(Everything, { int: -1 }).toString('hex'), '18ffffffffffffffffff01');
  assert.equal(encode(Everything, {}).length, 0);
  assert.equal(encode(Everything, { inner: {} }).toString('hex'), '3200');
});

test('decode() passes over fields it does not know, and reads packed numbers', () => {
  const unknown = Buffer.from('f80105' + 'fd0111111111' + 'f9011111111111111111' + '5203010203' + '0a0161', 'hex');
  const value = decode<{ readonly text: string; readonly numbers: readonly number[] }>(Everything, unknown);
  assert.deepEqual([value.text, value.numbers], ['a', [1, 2, 3]]);
});

test('decode() ends with a message or a WharfError, whatever it is given', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decode(Everything, bytes);
      } catch (error) {
        assert.ok(error instanceof WharfError, String(error));
      }
    }),
  );
});

test('FrameReader cuts any pieces into the same messages, and refuses large and compressed ones', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), fc.integer({ min: 1, max: 20 }), (messages, size) => {
      const all = Buffer.concat(messages.map((each) => frame(each)));
      const reader = new FrameReader();
      const found: Buffer[] = [];
      for (let at = 0; at < all.length; at += size) found.push(...reader.push(all.subarray(at, at + size)));
      assert.deepEqual(
        found.map((each) => each.toString('hex')),
        messages.map((each) => Buffer.from(each).toString('hex')),
      );
    }),
  );
  assert.throws(() => new FrameReader().push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff])), /4294967295 bytes/);
  assert.throws(() => new FrameReader().push(Buffer.from([1, 0, 0, 0, 0])), /compressed/);
});

test('percentEncode() leaves printable ASCII, and percentDecode() undoes it', () => {
  assert.equal(percentEncode('a b%ü\n'), 'a b%25%C3%BC%0A');
  fc.assert(fc.property(fc.string(), (text) => assert.equal(percentDecode(percentEncode(text)), text)));
});

/** A client and a server on the two ends of a connection. */
async function pair(methods: GrpcMethods) {
  const server = createServer((socket) => void serveGrpc(socket, methods)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const client = new GrpcClient(socket);
  after(() => {
    socket.destroy();
    server.close();
  });
  return client;
}

test('GrpcClient and serveGrpc() exchange messages, streams, metadata and errors', async () => {
  const echo = async (call: GrpcCall) => {
    for await (const bytes of call.messages) await call.send(bytes);
  };
  const client = await pair(
    new Map([
      ['/x/Echo', echo],
      ['/x/Fail', () => Promise.reject(new GrpcError(5, 'no sü%ch'))],
      ['/x/Meta', async (call) => call.send(Buffer.from(JSON.stringify(call.metadata.get('many'))))],
    ]),
  );
  assert.equal((await client.unary('/x/Echo', Buffer.from('hello'))).toString(), 'hello');
  await assert.rejects(client.unary('/x/Fail', Buffer.alloc(0)), { status: 5, message: 'no sü%ch', kind: 'not-found' });
  await assert.rejects(client.unary('/x/None', Buffer.alloc(0)), { status: 12 });
  const meta = client.open('/x/Meta', { many: ['a,b', 'c'] });
  meta.end();
  for await (const bytes of meta.messages) assert.equal(bytes.toString(), '["a,b","c"]');
  const stream = client.open('/x/Echo', {});
  const large = Buffer.alloc(3_000_000, 7);
  const sending = (async () => {
    for (let round = 0; round < 5; round++) await stream.send(large);
    stream.end();
  })();
  let count = 0;
  for await (const bytes of stream.messages) {
    assert.equal(bytes.length, large.length);
    count += 1;
  }
  await sending;
  assert.equal(count, 5);
});

test('serveGrpc() gives calls up when their client is gone without a word, on a server that allows connections to be half open', async () => {
  const begun = Promise.withResolvers<void>();
  const givenUp = Promise.withResolvers<void>();
  const methods: GrpcMethods = new Map([
    [
      '/x/Wait',
      async ({ signal }: GrpcCall) => {
        signal.addEventListener('abort', () => givenUp.resolve(), { once: true });
        begun.resolve();
        await givenUp.promise;
      },
    ],
  ]);
  const server = createServer({ allowHalfOpen: true }, (socket) => void serveGrpc(socket, methods));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  after(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const call = new GrpcClient(socket).unary('/x/Wait', Buffer.alloc(0));
  await begun.promise;
  socket.destroy();
  await assert.rejects(call, { status: 14 });
  await givenUp.promise;
});

test('GrpcClient hands on the details of an error, and a call sends a message that stands in its frame already', async () => {
  const detail = { type_url: 'x/y', value: Buffer.from('z') };
  const client = await pair(
    new Map([
      ['/x/Fail', () => Promise.reject(new GrpcError(9, 'no', { details: [detail] }))],
      ['/x/Framed', (call: GrpcCall) => call.sendFramed(frame(Buffer.from('as it is')))],
    ]),
  );
  await assert.rejects(client.unary('/x/Fail', Buffer.alloc(0)), { status: 9, grpcDetails: [detail] });
  assert.equal((await client.unary('/x/Framed', Buffer.alloc(0))).toString(), 'as it is');
});
