import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BUSYBOX } from '../lib/images.ts';
import type { VirtualMachine } from './machine.ts';

let machine: VirtualMachine;

/** Volumes of the local driver on an NFS server, which is the kernel's own. */
export function nfsTests(booted: () => VirtualMachine): void {
  before(async () => {
    machine = booted();
    await machine.ok('mkdir -p /srv/kept && chmod 777 /srv/kept && modprobe -a nfs nfsd');
    await machine.ok("echo '/srv/kept *(rw,insecure,no_subtree_check,no_root_squash,fsid=0)' > /etc/exports");
    await machine.ok(
      'mount -t nfsd nfsd /proc/fs/nfsd 2>/dev/null; exportfs -ra && rpc.nfsd -N 3 --no-udp -G 10 -L 10 2 && rpc.mountd -N 3 --no-udp',
    );
  });
  after(() => machine.ok('rpc.nfsd 0; pkill rpc.mountd; exportfs -ua'));

  const options = ['--opt', 'type=nfs', '--opt', 'o=addr=127.0.0.1,rw,nfsvers=4,soft,timeo=50', '--opt', 'device=:/'];

  test('a volume on NFS is mounted while containers use it, and its files are on the server', async () => {
    await machine.dockerOk('volume', 'create', ...options, 'served');
    await machine.dockerOk(
      'run',
      '-d',
      '--name',
      'writer',
      '-v',
      'served:/v',
      BUSYBOX,
      'sh',
      '-c',
      'echo one > /v/f; exec sleep 1000',
    );
    assert.equal(
      await machine.dockerOk(
        'run',
        '--rm',
        '-v',
        'served:/v:ro',
        BUSYBOX,
        'sh',
        '-c',
        // It is there before it has its word.
        'until [ -s /v/f ]; do :; done; cat /v/f',
      ),
      'one',
    );
    assert.equal(await machine.ok('cat /srv/kept/f'), 'one');
    assert.match(await machine.ok('mount -t nfs4'), /\/var\/lib\/wharf\/volumes\/served\/_data type nfs4 .*soft/);
    await machine.dockerOk('rm', '-f', 'writer');
    assert.equal(await machine.ok('mount -t nfs4 | grep -c wharf || true'), '0');
    await machine.dockerOk('volume', 'rm', 'served');
    // The server's files are nobody's to delete.
    assert.equal(await machine.ok('cat /srv/kept/f'), 'one');
  });

  test('a server that no longer answers, or never did, holds up nobody else', async () => {
    await machine.dockerOk('volume', 'create', ...options, 'served');
    await machine.dockerOk('run', '-d', '--name', 'reader', '-v', 'served:/v', BUSYBOX, 'sleep', '1000');
    // As of a server that is switched off: its packets go nowhere.
    await machine.ok('nft add table ip away && nft add chain ip away in "{ type filter hook input priority -300; }"');
    await machine.ok('nft add rule ip away in tcp dport 2049 drop');
    await machine.dockerOk('volume', 'create', ...options, 'away');
    const hangs = machine.docker(['run', '--rm', '-v', 'away:/v', BUSYBOX, 'true']);
    const asks = machine.docker(['exec', 'reader', 'ls', '/v']);
    for (const line of [
      'ps',
      'volume ls',
      'inspect reader',
      'system df -v',
      'run --rm -v other:/v busybox:e2e touch /v/x',
    ]) {
      const { code, output } = await machine.docker(line.split(' '), { timeoutMs: 20_000 });
      assert.equal(code, 0, `${line}: ${output}`);
    }
    await machine.ok('nft delete table ip away');
    await Promise.all([hangs, asks]);
    await machine.dockerOk('rm', '-f', 'reader');
    await machine.dockerOk('volume', 'rm', 'served', 'away', 'other');
  });
}
