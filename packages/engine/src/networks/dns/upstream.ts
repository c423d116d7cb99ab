import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { DNS_MESSAGE_BYTES, DNS_UPSTREAM_TIMEOUT_MS, DNS_UPSTREAMS_MAX } from '../limits.ts';
import { RCODE, rcodeOf } from './codec.ts';

/**
 * Asks the servers in turn, over the transport the client used, from the host's network namespace (where the host's own
 * loopback resolver is in reach). Resolves with the answer as it came, `undefined` when none gave a useful one.
 */
export async function askUpstreams(
  query: Buffer,
  servers: readonly string[],
  transport: 'udp' | 'tcp',
): Promise<Buffer | undefined> {
  let last: Buffer | undefined;
  for (const server of servers.slice(0, DNS_UPSTREAMS_MAX)) {
    const answer = await (transport === 'udp' ? askUdp(query, server) : askTcp(query, server));
    if (answer === undefined) continue;
    last = answer;
    const rcode = rcodeOf(answer);
    if (rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED && rcode !== RCODE.NOTIMP) return answer;
  }
  return last;
}

/** A socket per question: its random port is what an off-path forger has to guess beside the id. */
function askUdp(query: Buffer, server: string): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  const timer = setTimeout(() => finish(undefined), DNS_UPSTREAM_TIMEOUT_MS);
  let open = true;
  const finish = (answer: Buffer | undefined): void => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    socket.close();
    resolve(answer);
  };
  socket.on('error', () => finish(undefined));
  socket.on('message', (answer) => {
    if (answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0)) finish(answer);
  });
  // Connected: the kernel drops what does not come from the server, and tells of its port being closed.
  // The callback is also how a failure (no route) is told, whatever its type says.
  socket.connect(53, server, ((error?: Error) => {
    if (error) finish(undefined);
    else if (open) socket.send(query, (failure) => failure && finish(undefined));
  }) as () => void);
  return promise;
}

function askTcp(query: Buffer, server: string): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = connect({ host: server, port: 53, timeout: DNS_UPSTREAM_TIMEOUT_MS });
  let received = Buffer.alloc(0);
  const finish = (answer: Buffer | undefined): void => {
    socket.destroy();
    resolve(answer);
  };
  socket.on('timeout', () => finish(undefined));
  socket.on('error', () => finish(undefined));
  socket.on('close', () => resolve(undefined));
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length >= 2 ? received.readUInt16BE(0) : DNS_MESSAGE_BYTES;
    if (received.length >= length + 2) finish(received.subarray(2, length + 2));
  });
  const head = Buffer.alloc(2);
  head.writeUInt16BE(query.length);
  socket.write(Buffer.concat([head, query]));
  return promise;
}
