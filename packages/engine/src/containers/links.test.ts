import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerRecord } from './container.ts';
import { linkVariables } from './link-variables.ts';
import { linkEnvironment, linkNames, resolveLinks, shownLinks } from './links.ts';

const container = (name: string, more: object = {}): ContainerRecord =>
  ({ id: `id-${name}`, name, hostConfig: {}, config: {}, endpoints: [], state: { pid: 1 }, ...more }) as never;

const among =
  (...records: ContainerRecord[]) =>
  (wanted: string) =>
    records.find(({ id, name }) => id === wanted || name === wanted);

test('resolveLinks() understands name, name:alias and what inspect shows', () => {
  const find = among(container('db'));
  const aliases = (link: string) => resolveLinks({ Links: [link] }, find).map(({ alias }) => alias);
  assert.deepEqual(aliases('db'), ['db']);
  assert.deepEqual(aliases('db:store'), ['store']);
  assert.deepEqual(aliases('db:/store'), ['store']);
  assert.deepEqual(aliases('/db:/web/store'), ['store']);
});

test('resolveLinks() leads to the container whose network is shared', () => {
  const find = among(container('db'), container('side', { hostConfig: { NetworkMode: 'container:id-db' } }));
  assert.deepEqual(resolveLinks({ Links: ['side:x'] }, find), [{ alias: 'x', containerId: 'id-db' }]);
});

test("resolveLinks() refuses what cannot be linked in Docker's words", () => {
  const find = among(container('db', { hostConfig: { NetworkMode: 'host' } }));
  assert.throws(() => resolveLinks({ Links: ['nobody:x'] }, find), {
    kind: 'invalid-argument',
    message: 'could not get container for nobody: No such container: nobody',
  });
  assert.throws(() => resolveLinks({ Links: ['db:x'] }, find), { kind: 'invalid-argument', message: /host type/ });
  assert.throws(() => resolveLinks({ Links: ['a:b:c'] }, find), { message: 'bad format for links: a:b:c' });
});

test('resolveLinks() leaves links on user-defined networks to the endpoint', () => {
  assert.deepEqual(resolveLinks({ Links: ['nobody:x'], NetworkMode: 'mine' }, among()), []);
});

test('linkEnvironment() needs a linked container that runs on the default bridge', () => {
  const endpoints = [{ networkName: 'bridge', networkId: '', settings: { IPAddress: '172.17.0.2' } }];
  const web = container('web', { endpoints, links: [{ alias: 'db', containerId: 'id-db' }] });
  assert.deepEqual(linkEnvironment(web, among(container('db', { endpoints }))), ['DB_NAME=/web/db']);
  assert.deepEqual(linkEnvironment(web, among()), []);
  assert.throws(() => linkEnvironment(web, among(container('db', { state: { pid: 0 } }))), {
    message: 'Cannot link to a non running container: /db AS /web/db',
  });
  assert.throws(() => linkEnvironment(web, among(container('db'))), /does not belong to the default network/);
});

test('linkNames() and shownLinks() tell both sides', () => {
  const db = container('db');
  const web = container('web', { links: [{ alias: 'store', containerId: 'id-db' }] });
  assert.deepEqual(linkNames([db, web]).get('id-db'), ['/web/store']);
  assert.deepEqual(shownLinks(web, among(db)), ['/db:/web/store']);
  assert.equal(shownLinks(web, among()), null);
});

test('linkVariables() tells ports, a range of them, and the environment', () => {
  const variables = linkVariables({
    name: '/web/my-db',
    address: '10.0.0.2',
    environment: ['FOO=1', 'PATH=/bin', 'BARE'],
    exposedPorts: ['53/udp', '81/tcp', '80/tcp'],
  });
  assert.deepEqual(variables, [
    'MY_DB_PORT=tcp://10.0.0.2:80',
    'MY_DB_PORT_80_TCP=tcp://10.0.0.2:80',
    'MY_DB_PORT_80_TCP_ADDR=10.0.0.2',
    'MY_DB_PORT_80_TCP_PORT=80',
    'MY_DB_PORT_80_TCP_PROTO=tcp',
    'MY_DB_PORT_81_TCP=tcp://10.0.0.2:81',
    'MY_DB_PORT_81_TCP_ADDR=10.0.0.2',
    'MY_DB_PORT_81_TCP_PORT=81',
    'MY_DB_PORT_81_TCP_PROTO=tcp',
    'MY_DB_PORT_53_UDP=udp://10.0.0.2:53',
    'MY_DB_PORT_53_UDP_ADDR=10.0.0.2',
    'MY_DB_PORT_53_UDP_PORT=53',
    'MY_DB_PORT_53_UDP_PROTO=udp',
    'MY_DB_PORT_80_TCP_START=tcp://10.0.0.2:80',
    'MY_DB_PORT_80_TCP_PORT_START=80',
    'MY_DB_PORT_80_TCP_END=tcp://10.0.0.2:81',
    'MY_DB_PORT_80_TCP_PORT_END=81',
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_FOO=1',
  ]);
});
