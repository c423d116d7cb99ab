import { parseGoCsv } from '@wharf/kit/go-csv';
import { parseGoInteger } from '@wharf/kit/go-numbers';
import { cut } from './pairs.ts';
import { refuse } from './refuse.ts';

/** What `--network` asks for. */
export interface NetworkWish {
  readonly target: string;
  readonly aliases: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>> | undefined;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly linkLocal: readonly string[];
  readonly mac: string;
  readonly gatewayPriority: number;
}

export const NO_WISHES: NetworkWish = {
  target: '',
  aliases: [],
  driverOptions: undefined,
  ipv4: '',
  ipv6: '',
  linkLocal: [],
  mac: '',
  gatewayPriority: 0,
};

/** Reads a network's name, or `name=…,alias=…,ip=…`. Everything of the long form is in lower case, as docker takes it. */
export function parseNetwork(text: string): NetworkWish {
  if (!/\w+=\w+/.test(text)) return { ...NO_WISHES, target: text };
  const wish = { ...NO_WISHES, aliases: [] as string[], linkLocal: [] as string[] };
  for (const field of parseGoCsv(text)) {
    const { before, after, found } = cut(field.toLowerCase(), '=');
    if (!found || before === '') throw refuse(`invalid field ${field}`);
    set(wish, before.trim(), after.trim());
  }
  if (wish.target === '') throw refuse('network name/id is not specified');
  return wish;
}

type Writable = { -readonly [Key in keyof NetworkWish]: NetworkWish[Key] } & { aliases: string[]; linkLocal: string[] };

function set(wish: Writable, key: string, value: string): void {
  switch (key) {
    case 'name':
      wish.target = value;
      return;
    case 'alias':
      wish.aliases.push(value);
      return;
    case 'ip':
      wish.ipv4 = value;
      return;
    case 'ip6':
      wish.ipv6 = value;
      return;
    case 'mac-address':
      wish.mac = value;
      return;
    case 'link-local-ip':
      wish.linkLocal.push(value);
      return;
    case 'driver-opt': {
      const option = cut(value, '=');
      if (!option.found || option.before === '') throw refuse('invalid key value pair format in driver options');
      wish.driverOptions = { ...wish.driverOptions, [option.before.trim()]: option.after.trim() };
      return;
    }
    case 'gw-priority':
      wish.gatewayPriority = priority(value);
      return;
    default:
      throw refuse(`invalid field key ${key}`);
  }
}

function priority(text: string): number {
  try {
    return Number(parseGoInteger(text, { as: 'Atoi', bare: true }));
  } catch (error) {
    throw refuse(`invalid gw-priority (${text}): ${(error as Error).message}`);
  }
}
