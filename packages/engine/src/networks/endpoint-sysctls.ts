/** Kernel switches of one link in a container: `net.ipv4.conf.IFNAME.log_martians=1`. */

export interface EndpointSysctl {
  /** Below /proc/sys, with `IFNAME` where the link's name goes. */
  readonly path: string;
  readonly value: string;
}

const FORM = /^net\.(ipv4|ipv6|mpls)\.([A-Za-z0-9_-]+)\.(?:IFNAME|ifname)\.([A-Za-z0-9_.-]+)=(.*)$/;

/** One setting; `undefined` when it is none of a link. */
export function parseEndpointSysctl(text: string): EndpointSysctl | undefined {
  const [, family, table, name = '', value = ''] = FORM.exec(text) ?? [];
  if (family === undefined || name.includes('..')) return undefined;
  return { path: `net/${family}/${table}/IFNAME/${name.replaceAll('.', '/')}`, value };
}

/** The settings of the driver option; what is none was refused before. */
export function endpointSysctls(option: string | undefined): EndpointSysctl[] {
  return option === undefined ? [] : option.split(',').flatMap((text) => parseEndpointSysctl(text) ?? []);
}

/** The link is to have no IPv6 at all, and so no address of it. */
export const disablesIPv6 = (sysctls: readonly EndpointSysctl[]): boolean =>
  sysctls.some(({ path, value }) => path === 'net/ipv6/conf/IFNAME/disable_ipv6' && value === '1');
