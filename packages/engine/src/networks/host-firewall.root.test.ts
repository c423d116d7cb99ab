import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { CLONE, setns, unshare } from '@wharf/linux/namespaces';
import { Nft } from '@wharf/linux/nftables';
import { forwardBlocks } from './host-firewall.ts';

/** Runs `work` beside rules of others in a network namespace of its own. */
function beside(rules: string, work: (nft: Nft) => void): void {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    unshare(CLONE.NEWNET);
    using nft = new Nft();
    nft.apply(rules);
    work(nft);
  } finally {
    setns(home, CLONE.NEWNET);
    closeSync(home);
  }
}

test('forwardBlocks() finds Docker, ufw and firewalld, and not ourselves', () => {
  const docker = `table ip filter {
  chain DOCKER-USER {
  }
  chain FORWARD {
    type filter hook forward priority 0; policy drop;
  }
}`;
  beside(docker, (nft) => {
    const [block] = forwardBlocks(nft);
    assert.deepEqual([block?.family, block?.table, block?.chain], ['ip', 'filter', 'FORWARD']);
    assert.match(block?.hint ?? '', /^iptables -I DOCKER-USER -i BRIDGE -j ACCEPT/);
  });
  beside(docker.replaceAll('DOCKER-USER', 'ufw-user-forward'), (nft) =>
    assert.match(forwardBlocks(nft)[0]?.hint ?? '', /^ufw route allow/),
  );
  const firewalld = `table inet firewalld {
  chain filter_FORWARD {
    type filter hook forward priority 10; policy accept;
    reject with icmpx admin-prohibited
  }
}`;
  beside(firewalld, (nft) => assert.match(forwardBlocks(nft)[0]?.hint ?? '', /^firewall-cmd/));
  const own = docker.replace('table ip filter', 'table ip wharf').replaceAll('policy drop', 'policy accept');
  beside(own, (nft) => assert.deepEqual(forwardBlocks(nft), []));
});
