import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extraHostEntries, hostsFile, ownNames } from './hosts-file.ts';
import { embeddedResolvConf, formatResolvConf, parseResolvConf, plainResolvConf, serversOf } from './resolv-conf.ts';

const HOST = parseResolvConf(
  '# x\nnameserver 127.0.0.53\nnameserver 9.9.9.9\nsearch a.example b.example\noptions edns0 trust-ad\n',
);
const NONE = { servers: [], search: [], options: [] };

test('plainResolvConf() leaves out what a container cannot reach', () => {
  assert.equal(
    formatResolvConf(plainResolvConf(HOST, NONE)),
    'nameserver 9.9.9.9\nsearch a.example b.example\noptions edns0 trust-ad\n',
  );
  assert.deepEqual(plainResolvConf({ ...HOST, nameservers: ['127.0.0.53'] }, NONE).nameservers, ['8.8.8.8', '8.8.4.4']);
});

test('embeddedResolvConf() names the embedded resolver and whom it asks', () => {
  const own = { address: '127.0.0.11', plainNamesFirst: true };
  assert.equal(
    embeddedResolvConf(HOST, { ...NONE, search: ['.'] }, own),
    'nameserver 127.0.0.11\noptions edns0 trust-ad ndots:0\n\n' +
      '# The resolver of this container network. ExtServers: [host(127.0.0.53) host(9.9.9.9)]\n',
  );
  const asked = embeddedResolvConf(HOST, { ...NONE, servers: ['1.1.1.1'], options: ['ndots:2'] }, own);
  assert.match(asked, /^options ndots:2$/m);
  assert.match(asked, /ExtServers: \[1\.1\.1\.1\]/);
  assert.doesNotMatch(embeddedResolvConf(HOST, NONE, { ...own, plainNamesFirst: false }), /ndots/);
  assert.deepEqual(serversOf({ ...HOST, nameservers: [] }), ['8.8.8.8', '8.8.4.4']);
});

test('the hosts file names others first, the container last', () => {
  const gateways = ['172.17.0.1', 'fd17::1'];
  const entries = extraHostEntries(['db:10.0.0.9', 'six:[fd00::1]', 'me:host-gateway', 'odd'], gateways);
  assert.deepEqual(
    entries.map(({ address, names }) => `${names}=${address}`),
    ['db=10.0.0.9', 'six=fd00::1', 'me=172.17.0.1', 'me=fd17::1'],
  );
  const text = hostsFile([...entries, { address: '172.17.0.2', names: ownNames('box', 'lan') }]);
  assert.ok(text.startsWith('127.0.0.1\tlocalhost\n') && text.endsWith('172.17.0.2\tbox.lan box\n'));
});
