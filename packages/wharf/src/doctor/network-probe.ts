import { closeSync, openSync } from 'node:fs';
import { type ForwardBlock, forwardBlocks } from '@wharf/engine/networks/host-firewall';
import { messageOf } from '@wharf/kit';
import { CLONE, setns, unshare } from '@wharf/linux/namespaces';
import { withNetlink } from '@wharf/linux/netlink';
import { Nft } from '@wharf/linux/nftables';

export interface NetworkProblem {
  readonly what: string;
  readonly why: string;
  /** The kernel module that brings it. */
  readonly module: string;
}

const PROBE_RULES = `table ip wharf_probe {
  chain out {
    type nat hook postrouting priority 100;
    oifname "lo" masquerade;
  }
}`;

/** The chains of other firewalls that stop what comes for containers. */
export function findForwardBlocks(): readonly ForwardBlock[] {
  using nft = new Nft();
  return forwardBlocks(nft);
}

/** Tries what a container's network is made of, in a network namespace that is dropped afterwards. */
export async function probeNetwork(): Promise<readonly NetworkProblem[]> {
  const problems: NetworkProblem[] = [];
  const attempt = (what: string, module: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      problems.push({ what, why: messageOf(error), module });
    }
  };
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    unshare(CLONE.NEWNET);
    attempt('bridge', 'bridge', () => withNetlink((netlink) => netlink.createBridge('wharf-probe')));
    attempt('veth', 'veth', () => withNetlink((netlink) => netlink.createVeth({ name: 'probe-a', peer: 'probe-b' })));
    attempt('nftables', 'nf_tables nft_chain_nat', () => {
      using nft = new Nft();
      nft.apply(PROBE_RULES);
    });
  } finally {
    setns(home, CLONE.NEWNET);
    closeSync(home);
  }
  return problems;
}
