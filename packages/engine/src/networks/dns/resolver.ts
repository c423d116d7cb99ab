import { encodeIp } from '@wharf/linux/netlink';
import { DNS_TTL_SECONDS } from '../limits.ts';
import { type Answer, encodeName, encodeResponse, type Question, RCODE, TYPE } from './codec.ts';

/** What one container may learn about others. */
export interface DnsView {
  /** Addresses of a name, none for a name that is not ours. */
  lookup(name: string): readonly string[];
  reverse(address: string): string | undefined;
}

const CLASS_IN = 1;

/**
 * Answers a question about containers, or returns `undefined` for one that is somebody else's to answer.
 * A name of ours without an address of the wanted family is answered empty, not passed on: musl takes a failure of the AAAA
 * half for a failure of the whole.
 */
export function answerLocally(
  question: Question,
  view: DnsView,
  maxBytes: number,
  shuffle: <T>(list: readonly T[]) => T[],
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
  if (question.type !== TYPE.A && question.type !== TYPE.ANY) return reply([]);
  return reply(
    shuffle(addresses).map((address) => ({ type: TYPE.A, ttl: DNS_TTL_SECONDS, data: encodeIp(address).bytes })),
  );
}

/** `4.3.2.1.in-addr.arpa` → `1.2.3.4`. */
function reverseAddress(name: string): string | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  return match ? [match[4], match[3], match[2], match[1]].join('.') : undefined;
}
