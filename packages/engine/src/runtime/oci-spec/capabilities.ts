import { WharfError } from '@wharf/kit';
import { CAPABILITIES } from '@wharf/linux/proc';
import type { SpecCapabilities } from './spec.ts';

/** What a container has unless it says otherwise; Docker's set since 1.13. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

const known = new Set(CAPABILITIES);

/** `net_admin` → `CAP_NET_ADMIN`, sorted and once each; `ALL` stays. Throws `invalid-argument` in Docker's words, `what` first. */
export function normalizeCapabilities(names: readonly string[] | null | undefined, what: string): readonly string[] {
  const normal = new Set<string>();
  for (const name of names ?? []) {
    const upper = name.toUpperCase();
    if (upper === 'ALL') {
      normal.add('ALL');
      continue;
    }
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!known.has(full)) throw new WharfError('invalid-argument', `${what}: unknown capability: "${full}"`);
    normal.add(full);
  }
  return [...normal].sort();
}

/** The capabilities of a container by Docker's rules for `--cap-add`, `--cap-drop` and `--privileged`. */
export function chosenCapabilities(options: {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}): readonly string[] {
  const { add, drop, privileged } = options;
  if (privileged) return CAPABILITIES;
  const dropped = new Set(drop);
  if (add.includes('ALL')) return CAPABILITIES.filter((name) => !dropped.has(name));
  const base = dropped.has('ALL') ? [] : DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name));
  return [...new Set([...base, ...add.filter((name) => name !== 'ALL')])];
}

/**
 * The sets for one process: all three for root, only the bound for others, as execve(2) would leave them. What this host's
 * daemon itself cannot have (`bounding`) is left out, or the runtime would fail.
 */
export function capabilitySets(
  chosen: readonly string[],
  options: { readonly uid: number; readonly bounding: ReadonlySet<string> },
): SpecCapabilities {
  const possible = chosen.filter((name) => options.bounding.has(name));
  return options.uid === 0
    ? { bounding: possible, effective: possible, permitted: possible }
    : { bounding: possible, effective: [], permitted: [] };
}
