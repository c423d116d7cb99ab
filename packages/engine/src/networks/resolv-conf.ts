/** Reading and writing of resolv.conf(5). Pure. */

export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Where a container asks when the host's resolvers cannot be reached from it; Docker's choice too. */
export const FALLBACK_NAMESERVERS: readonly string[] = ['8.8.8.8', '8.8.4.4'];

/** Reads the file's text; as in resolv.conf(5) the last `search` or `domain` line counts. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  const options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) nameservers.push(words[0]);
    if (keyword === 'search' || keyword === 'domain') search = words;
    if (keyword === 'options') options.push(...words);
  }
  return { nameservers, search, options };
}

export function formatResolvConf(conf: ResolvConf): string {
  const lines = conf.nameservers.map((server) => `nameserver ${server}`);
  // A search list of one dot means none.
  const search = conf.search.filter((domain) => domain !== '.');
  if (search.length > 0) lines.push(`search ${search.join(' ')}`);
  if (conf.options.length > 0) lines.push(`options ${conf.options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/** True for resolvers that only the host itself reaches. */
export const isLoopback = (server: string): boolean => server.startsWith('127.') || /^::1(?:%|$)/.test(server);

export interface DnsWishes {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

function merged(host: ResolvConf, wishes: DnsWishes): ResolvConf {
  return {
    nameservers: wishes.servers.length > 0 ? wishes.servers : host.nameservers,
    search: wishes.search.length > 0 ? wishes.search : host.search,
    options: wishes.options.length > 0 ? wishes.options : host.options,
  };
}

/** For containers without the embedded resolver: what was asked for, else the host's, without resolvers that are out of a container's reach. */
export function plainResolvConf(host: ResolvConf, wishes: DnsWishes): ResolvConf {
  const conf = merged(host, wishes);
  if (wishes.servers.length > 0) return conf;
  const reachable = conf.nameservers.filter((server) => !isLoopback(server) && !server.includes(':'));
  return { ...conf, nameservers: reachable.length > 0 ? reachable : FALLBACK_NAMESERVERS };
}

/** For `--network host`: what was asked for, else exactly the host's. */
export const hostResolvConf = merged;

/**
 * For bridge networks: the embedded resolver, with a note of whom it asks. `plainNamesFirst`: a container's plain name is an
 * absolute one (`ndots:0`, as in Docker's user-defined networks); else search domains go on as they do on the host.
 */
export function embeddedResolvConf(
  host: ResolvConf,
  wishes: DnsWishes,
  options: { readonly address: string; readonly plainNamesFirst: boolean },
): string {
  const conf = merged(host, wishes);
  const hasNdots = conf.options.some((option) => option.startsWith('ndots:'));
  const lines = options.plainNamesFirst && !hasNdots ? [...conf.options, 'ndots:0'] : conf.options;
  const servers = wishes.servers.length > 0 ? wishes.servers : conf.nameservers.map((server) => `host(${server})`);
  return `${formatResolvConf({ ...conf, nameservers: [options.address], options: lines })}
# The resolver of this container network. ExtServers: [${servers.join(' ')}]
`;
}

/** Whom the host's resolver is, never nobody. */
export const serversOf = (host: ResolvConf): readonly string[] =>
  host.nameservers.length > 0 ? host.nameservers : FALLBACK_NAMESERVERS;
