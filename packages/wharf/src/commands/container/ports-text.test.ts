import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPort, type PublishedPort, portsText, shortPortsText } from './ports-text.ts';

const port = (PrivatePort: number, more: Partial<PublishedPort> = {}): PublishedPort => ({
  PrivatePort,
  Type: 'tcp',
  ...more,
});

test('portsText() puts neighbours together, each kind for itself', () => {
  assert.equal(portsText([]), '');
  assert.equal(portsText([port(80), port(82), port(81), port(81, { Type: 'udp' })]), '80-82/tcp, 81/udp');
  assert.equal(portsText([port(80), port(82)]), '80/tcp, 82/tcp');
  const anywhere = { IP: '0.0.0.0' };
  assert.equal(
    portsText([port(80, { ...anywhere, PublicPort: 80 }), port(81, { ...anywhere, PublicPort: 81 })]),
    '0.0.0.0:80-81->80-81/tcp',
  );
  assert.equal(
    portsText([port(80, { IP: '::', PublicPort: 8080 }), port(80, { ...anywhere, PublicPort: 8080 }), port(9)]),
    '9/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp',
  );
  assert.equal(portsText([port(53, { IP: '::1', PublicPort: 53, Type: 'udp' })]), '[::1]:53->53/udp');
});

test('shortPortsText() says of any address nothing, once', () => {
  const both = [port(80, { IP: '::', PublicPort: 8080 }), port(80, { IP: '0.0.0.0', PublicPort: 8080 })];
  assert.equal(shortPortsText(both), '8080->80/tcp');
  assert.equal(shortPortsText([port(80, { IP: '127.0.0.1', PublicPort: 8080 })]), '127.0.0.1:8080->80/tcp');
});

test('hostPort() puts what has colons into brackets', () => {
  assert.equal(hostPort('::', 80), '[::]:80');
  assert.equal(hostPort('', '80'), ':80');
});
