import { DNS_MESSAGE_BYTES, DNS_PENDING_ALL_MAX, DNS_PENDING_MAX } from '../limits.ts';
import { AnswerCache, cacheKey, readdress } from './cache.ts';
import { decodeQuestion, encodeResponse, encodeTruncated, type Question, RCODE, TYPE } from './codec.ts';
import { NameBook } from './name-book.ts';
import type { DnsClient, DnsOrder } from './orders.ts';
import { answerLocally, type DnsView } from './resolver.ts';
import { DnsServer } from './server.ts';
import { askUpstreams, type Transport, type Upstream } from './upstream.ts';
import { dnsViewOf } from './view.ts';

interface Counter {
  readonly server: DnsServer;
  client: DnsClient;
  view: DnsView;
  /** Its questions that wait for upstreams. */
  pending: number;
}

/** Where the questions of all containers are answered. It does what the daemon's thread orders, in that order. */
export class DnsDesk {
  readonly #names = new NameBook();
  readonly #counters = new Map<string, Counter>();
  readonly #cache = new AnswerCache();
  readonly #inFlight = new Map<string, Promise<Buffer | undefined>>();
  #hostServers: readonly Upstream[] = [];
  #pending = 0;

  obey(order: DnsOrder): void {
    switch (order.kind) {
      case 'name':
        this.#names.add(order.endpoint);
        break;
      case 'forget':
        this.#names.remove(order.endpointId);
        break;
      case 'open':
        this.#open(order);
        break;
      case 'change':
        this.#change(order.id, order.client);
        break;
      case 'close':
        this.#counters.get(order.id)?.server.close();
        this.#counters.delete(order.id);
        break;
      case 'host':
        this.#hostServers = order.servers.map((address) => ({ address }));
        // Another network, other answers.
        this.#cache.clear();
        break;
    }
  }

  #change(id: string, client: DnsClient): void {
    const counter = this.#counters.get(id);
    if (!counter) return;
    counter.client = client;
    counter.view = dnsViewOf(client.networks, this.#names);
  }

  #open({ id, udpFd, tcpFd, client }: DnsOrder & { readonly kind: 'open' }): void {
    this.#counters.get(id)?.server.close();
    const counter: Counter = {
      server: new DnsServer({ udpFd, tcpFd }, (message, transport) => this.#answer(counter, message, transport)),
      client,
      view: dnsViewOf(client.networks, this.#names),
      pending: 0,
    };
    this.#counters.set(id, counter);
  }

  #answer(counter: Counter, message: Buffer, transport: Transport): Buffer | undefined | Promise<Buffer | undefined> {
    const question = decodeQuestion(message);
    if (!question) return undefined;
    const maxBytes = transport === 'udp' ? question.udpBytes : DNS_MESSAGE_BYTES;
    const local = answerLocally(question, counter.view, maxBytes, shuffled);
    if (local) return local;
    const { client } = counter;
    if (staysHere(question, client)) return encodeResponse(question, RCODE.NOERROR, [], maxBytes);
    const servers = client.servers.length > 0 ? client.servers : this.#hostServers;
    if (!client.forwards || servers.length === 0) return encodeResponse(question, RCODE.SERVFAIL, [], maxBytes);
    const key = cacheKey(question, servers.map(({ address, netns = '' }) => `${address}${netns}`).join());
    const cached = key === undefined ? undefined : this.#cache.get(key, question, performance.now());
    if (cached) return cached.length <= maxBytes ? cached : encodeTruncated(question);
    if (counter.pending >= DNS_PENDING_MAX || this.#pending >= DNS_PENDING_ALL_MAX) {
      return encodeResponse(question, RCODE.REFUSED, [], maxBytes);
    }
    return this.#forward({ counter, question, message, transport, servers, key });
  }

  async #forward(asked: {
    readonly counter: Counter;
    readonly question: Question;
    readonly message: Buffer;
    readonly transport: Transport;
    readonly servers: readonly Upstream[];
    readonly key: string | undefined;
  }): Promise<Buffer | undefined> {
    const { counter, question, transport, key } = asked;
    counter.pending++;
    this.#pending++;
    try {
      const answer = await this.#askOnce(asked);
      if (!answer) return encodeResponse(question, RCODE.SERVFAIL, [], DNS_MESSAGE_BYTES);
      if (key !== undefined) this.#cache.put(key, answer, performance.now());
      const own = readdress(Buffer.from(answer), question);
      const fits = transport === 'tcp' || own.length <= question.udpBytes;
      return fits ? own : encodeTruncated(question);
    } finally {
      counter.pending--;
      this.#pending--;
    }
  }

  /** The same question asked again meanwhile (a client that repeats itself, a crowd at the start) waits for the one answer. */
  #askOnce(asked: {
    readonly message: Buffer;
    readonly transport: Transport;
    readonly servers: readonly Upstream[];
    readonly key: string | undefined;
  }): Promise<Buffer | undefined> {
    const { message, servers, transport } = asked;
    if (asked.key === undefined) return askUpstreams(message, servers, transport);
    const key = `${transport} ${asked.key}`;
    const running = this.#inFlight.get(key);
    if (running) return running;
    const answer = askUpstreams(message, servers, transport).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, answer);
    return answer;
  }
}

/**
 * With `ndots` asked for, a name without a dot is to be tried with the search domains first: the answer is "nothing here", so
 * that the client goes on to them (as Docker's resolver does).
 */
function staysHere(question: Question, client: DnsClient): boolean {
  const isAddress = question.type === TYPE.A || question.type === TYPE.AAAA;
  return isAddress && client.plainNamesStay && !question.name.includes('.');
}

/** In random order, so that several containers of one name share the load. */
function shuffled<T>(list: readonly T[]): readonly T[] {
  if (list.length < 2) return list;
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
