import { WharfError } from '@wharf/kit';
import { badOptionValue } from '@wharf/wire/docker/messages';
import { booleanOption, isLinkName, mtuOption, OPTION, type Options } from './driver-options.ts';
import type { NetworkRecord, ParentSettings } from './network.ts';

const MODES = {
  macvlan: ['bridge', 'private', 'vepa', 'passthru'],
  ipvlan: ['l2', 'l3', 'l3s'],
} as const;
const IPVLAN_FLAGS: readonly string[] = ['bridge', 'private', 'vepa'];
const HOST_ACCESS = 'host_access';

/** The name of the link that stands in for a parent: the network is then one of its containers alone. */
export const standInName = (networkId: string): string => `dm-${networkId.slice(0, 12)}`;
/** The host's own link in a macvlan network (`host_access`). */
export const shimName = (networkId: string): string => `mh-${networkId.slice(0, 12)}`;

/** Whether this host is to reach the containers of a macvlan network. */
export const wantsHostAccess = (options: Options): boolean => booleanOption(options, HOST_ACCESS, false);

/** What a request's options mean for a macvlan or ipvlan network; `made` is found out later. Throws in Docker's words. */
export function parentSettings(
  driver: 'macvlan' | 'ipvlan',
  options: Options,
  facts: { readonly id: string; readonly mtuOf: (link: string) => number | undefined },
): ParentSettings {
  const mode = options[`${driver}_mode`] || MODES[driver][0];
  if (!(MODES[driver] as readonly string[]).includes(mode)) {
    throw new WharfError(
      'invalid-argument',
      `requested ${driver} mode '${mode}' is not valid, '${MODES[driver][0]}' mode is the ${driver} driver default`,
    );
  }
  const flag = options['ipvlan_flag'] || 'bridge';
  if (driver === 'ipvlan' && !IPVLAN_FLAGS.includes(flag)) {
    throw new WharfError(
      'invalid-argument',
      `requested ipvlan flag '${flag}' is not valid, 'bridge' is the ipvlan driver default`,
    );
  }
  const asked = options['parent'] ?? '';
  if (asked === 'lo')
    throw new WharfError('invalid-argument', `loopback interface is not a valid ${driver} parent link`);
  if (asked !== '' && !isLinkName(asked))
    throw new WharfError('invalid-argument', badOptionValue('parent', asked, 'not the name of a link'));
  const hostAccess = wantsHostAccess(options);
  if (hostAccess && (driver !== 'macvlan' || mode !== 'bridge' || asked === '')) {
    throw new WharfError('invalid-argument', `${HOST_ACCESS} needs a macvlan network in bridge mode with a parent`);
  }
  const name = asked === '' ? standInName(facts.id) : asked;
  const below = facts.mtuOf(name);
  return {
    name,
    mode,
    ...(driver === 'ipvlan' ? { flag } : {}),
    made: asked === '' || below === undefined,
    mtu: mtuOption(options) ?? below ?? facts.mtuOf(name.split('.')[0] ?? '') ?? 1500,
    ifnamePrefix: options[OPTION.ifnamePrefix] || 'eth',
  };
}

/**
 * Two networks may share a parent, unless one wants it for itself. One that was made for another network is the last one's to
 * remove: the settings come back saying so. Throws in Docker's words.
 */
export function sharedParent(parent: ParentSettings, others: readonly NetworkRecord[]): ParentSettings {
  let { made } = parent;
  for (const other of others) {
    if (other.parent?.name !== parent.name) continue;
    made ||= other.parent.made;
    if (parent.mode === 'passthru') {
      throw new WharfError(
        'internal',
        `cannot use mode passthru, macvlan network ${other.id} is already using parent interface ${parent.name}`,
      );
    }
    if (other.parent.mode === 'passthru') {
      throw new WharfError(
        'internal',
        `macvlan network ${other.id} is already using parent interface ${parent.name} in mode passthru`,
      );
    }
  }
  return { ...parent, made };
}
