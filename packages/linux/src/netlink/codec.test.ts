import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Attribute, decodeAttributes, decodeMessages, encodeAttributes, encodeMessage } from './codec.ts';
import { decodeIp, encodeIp, parsePrefix } from './ip.ts';

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array));
const attribute = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }), value: bytes }, { noNullPrototype: true });
const message = fc.record(
  {
    type: fc.integer({ min: 0, max: 0xffff }),
    flags: fc.integer({ min: 0, max: 0xffff }),
    sequence: fc.integer({ min: 0, max: 0xffffffff }),
    payload: bytes,
  },
  { noNullPrototype: true },
);

test('decodeAttributes() gives back what encodeAttributes() took', () => {
  fc.assert(
    fc.property(fc.array(attribute), (attributes) => {
      assert.deepEqual(decodeAttributes(encodeAttributes(attributes)), attributes);
    }),
  );
});

test('encodeAttributes() nests to any depth', () => {
  const { tree } = fc.letrec<{ tree: Attribute[] }>((tie) => ({
    tree: fc.array(
      fc.record({
        type: fc.integer({ min: 0, max: 0x3fff }),
        value: fc.oneof({ depthSize: 'small' }, bytes, tie('tree')),
      }),
      {
        maxLength: 4,
      },
    ),
  }));
  const same = (attributes: readonly Attribute[], encoded: Buffer): void => {
    const decoded = decodeAttributes(encoded);
    assert.equal(decoded.length, attributes.length);
    attributes.forEach((original, index) => {
      const found = decoded[index];
      assert.equal(found?.type, original.type);
      if (Buffer.isBuffer(original.value)) assert.deepEqual(found?.value, original.value);
      else same(original.value, found?.value ?? Buffer.alloc(0));
    });
  };
  fc.assert(fc.property(tree, (attributes) => same(attributes, encodeAttributes(attributes))));
});

test('decodeMessages() gives back what encodeMessage() took, several in a row', () => {
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      assert.deepEqual(decodeMessages(Buffer.concat(messages.map(encodeMessage))), messages);
    }),
  );
});

test('decodeMessages() and decodeAttributes() take any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 256 }), (array) => {
      decodeMessages(Buffer.from(array));
      decodeAttributes(Buffer.from(array));
    }),
  );
});

test('decodeIp() gives back what encodeIp() took', () => {
  fc.assert(fc.property(fc.ipV4(), (address) => decodeIp(encodeIp(address).bytes) === address));
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const { bytes: encoded } = encodeIp(address);
      assert.deepEqual(encodeIp(decodeIp(encoded)).bytes, encoded);
    }),
  );
});

test('decodeIp() writes IPv6 in the short form of RFC 5952', () => {
  const short = (address: string): string => decodeIp(encodeIp(address).bytes);
  assert.equal(short('2001:db8:0:0:1:0:0:1'), '2001:db8::1:0:0:1');
  assert.equal(short('::ffff:10.0.0.1'), '::ffff:a00:1');
  assert.equal(short('0:0:0:0:0:0:0:0'), '::');
});

test('parsePrefix() refuses lengths that do not fit', () => {
  assert.equal(parsePrefix('10.0.0.0/8').length, 8);
  assert.throws(() => parsePrefix('10.0.0.0/33'), { code: 'EINVAL' });
  assert.throws(() => parsePrefix('10.0.0/8'), { code: 'EINVAL' });
});
