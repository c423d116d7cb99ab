import { decodeIp, encodeIp } from '@wharf/linux/netlink';
import { DNS_TTL_SECONDS } from '../limits.ts';
import { type Answer, CLASS_IN, encodeName, encodeResponse, type Question, RCODE, TYPE } from './codec.ts';

/** What one container may learn about others. */
export interface DnsView {
  /** Addresses of a name in both families, none for a name that is not ours. */
  lookup(name: string): readonly string[];
  reverse(address: string): string | undefined;
}

/**
 * Answers a question about containers, or returns `undefined` for one that is somebody else's to answer.
 * A name of ours without an address of the wanted family is answered empty, not passed on: musl takes a failure of the AAAA
 * half for a failure of the whole.
 */
export function answerLocally(
  question: Question,
  view: DnsView,
  maxBytes: number,
  shuffle: <T>(list: readonly T[]) => readonly T[],
): Buffer | undefined {
  if (question.class !== CLASS_IN) return undefined;
  const reply = (answers: readonly Answer[]): Buffer => encodeResponse(question, RCODE.NOERROR, answers, maxBytes);
  if (question.type === TYPE.PTR) {
    const address = reverseAddress(question.name);
    const name = address === undefined ? undefined : view.reverse(address);
    return name === undefined ? undefined : reply([{ type: TYPE.PTR, ttl: DNS_TTL_SECONDS, data: encodeName(name) }]);
  }
  const addresses = view.lookup(question.name);
  if (addresses.length === 0) return undefined;
  const { type } = question;
  const wanted = addresses.filter((address) => {
    const family = address.includes(':') ? TYPE.AAAA : TYPE.A;
    return type === family || type === TYPE.ANY;
  });
  return reply(
    shuffle(wanted).map((address) => {
      const { bytes } = encodeIp(address);
      return { type: bytes.length === 4 ? TYPE.A : TYPE.AAAA, ttl: DNS_TTL_SECONDS, data: bytes };
    }),
  );
}

/** `4.3.2.1.in-addr.arpa` → `1.2.3.4`; 32 reversed nibbles and `.ip6.arpa` → an IPv6 address in its short form. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
    return match ? [match[4], match[3], match[2], match[1]].join('.') : undefined;
  }
  const match = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  if (!match) return undefined;
  const digits = (match[1] ?? '').split('.').reverse().join('');
  return decodeIp(Buffer.from(digits, 'hex'));
}
