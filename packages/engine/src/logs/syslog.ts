import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { parseRfc3339, WharfError } from '@wharf/kit';
import { UnixDatagram } from '@wharf/linux/unix-datagram';
import type { ContainerRecord } from '../containers/container.ts';
import type { JsonMessage } from './json-encode.ts';
import type { LogOptions } from './options.ts';
import type { MessageSink } from './spool-forwarder.ts';
import { readSyslogSettings, type SyslogFormat, type SyslogSettings, type SyslogTarget } from './syslog-options.ts';
import { renderTag } from './tag.ts';

const SEVERITY_ERROR = 3;
const SEVERITY_INFO = 6;
const CONNECT_TIMEOUT_MS = 10_000;
/** Where the machine's own syslog listens. */
const LOCAL_SOCKETS = ['/dev/log', '/var/run/syslog', '/var/run/log'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

interface Transport {
  send(messages: readonly Buffer[]): Promise<void>;
  close(): void;
}

/** `Jan  2 15:04:05` in local time (RFC 3164, section 4.1.2). */
function stampOf(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}

function headerOf(format: SyslogFormat, priority: number, tag: string, ns: bigint): string {
  switch (format) {
    case '':
      return `<${priority}>${stampOf(ns)} ${tag}[${process.pid}]: `;
    case 'rfc3164':
      return `<${priority}>${stampOf(ns)} ${hostname()} ${tag}[${process.pid}]: `;
    case 'rfc5424':
    case 'rfc5424micro': {
      const iso = new Date(Number(ns / 1_000_000n)).toISOString();
      const micro = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
      const time = format === 'rfc5424' ? `${iso.slice(0, 19)}Z` : `${iso.slice(0, 19)}.${micro}Z`;
      return `<${priority}>1 ${time} ${hostname()} ${tag} ${process.pid} ${tag} - `;
    }
  }
}

function streamTransport(open: () => Socket): Transport {
  let socket: Socket | undefined;
  return {
    async send(messages) {
      if (!socket || socket.destroyed) {
        socket = open();
        socket.on('error', () => undefined);
        socket.unref();
        await connected(socket);
      }
      await written(socket, Buffer.concat(messages));
    },
    close() {
      socket?.destroy();
    },
  };
}

async function connected(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => socket.destroy(new Error('connection timed out')), CONNECT_TIMEOUT_MS);
  timer.unref();
  socket.once('connect', resolve);
  socket.once('secureConnect', resolve);
  socket.once('error', reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.removeListener('error', reject);
  }
}

async function written(socket: Socket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function udpTransport(target: SyslogTarget): Transport {
  const socket = createSocket(target.host.includes(':') ? 'udp6' : 'udp4');
  socket.unref();
  socket.on('error', () => undefined);
  return {
    async send(messages) {
      for (const message of messages) {
        await new Promise<void>((resolve, reject) => {
          socket.send(message, target.port, target.host || '127.0.0.1', (error) => (error ? reject(error) : resolve()));
        });
      }
    },
    close() {
      socket.close();
    },
  };
}

function datagramTransport(path: string): Transport {
  let socket: UnixDatagram | undefined;
  return {
    async send(messages) {
      try {
        socket ??= UnixDatagram.connect(path);
        for (const message of messages) await socket.send(message);
      } catch (error) {
        socket?.close();
        socket = undefined;
        throw error;
      }
    },
    close() {
      socket?.close();
      socket = undefined;
    },
  };
}

function localPath(): string {
  const path = LOCAL_SOCKETS.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new WharfError('failed-precondition', 'Unix syslog delivery error');
  return path;
}

function openTls(target: SyslogTarget, options: LogOptions): Socket {
  const file = (name: string): Buffer | undefined => {
    const path = options[name];
    return path === undefined || path === '' ? undefined : readFileSync(path);
  };
  const ca = file('syslog-tls-ca-cert');
  const cert = file('syslog-tls-cert');
  const key = file('syslog-tls-key');
  return connectTls({
    host: target.host,
    port: target.port,
    rejectUnauthorized: options['syslog-tls-skip-verify'] === undefined,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  });
}

function openTransport(settings: SyslogSettings, options: LogOptions): Transport {
  const { target } = settings;
  if (!target) return datagramTransport(localPath());
  switch (target.kind) {
    case 'unixgram':
      return datagramTransport(target.path);
    case 'unix':
      return streamTransport(() => connectTcp({ path: target.path }));
    case 'udp':
      return udpTransport(target);
    case 'tcp':
      return streamTransport(() => connectTcp({ host: target.host || '127.0.0.1', port: target.port }));
    case 'tcp+tls':
      return streamTransport(() => openTls(target, options));
  }
}

/** Throws as dockerd does at the start of a container whose syslog cannot be found. */
export function checkSyslog(options: LogOptions): void {
  const { target } = readSyslogSettings(options);
  if (!target) localPath();
}

/** Sends to a syslog server in the formats of dockerd's driver. Options were validated before. */
export function createSyslogSink(record: ContainerRecord, options: LogOptions): MessageSink {
  const settings = readSyslogSettings(options);
  const tag = renderTag(record, options['tag'] || '{{.ID}}');
  // RFC 5425, section 4.3: over TLS a message is preceded by its length.
  const counted = settings.target?.kind === 'tcp+tls' && settings.format.startsWith('rfc5424');
  let transport: Transport | undefined;
  let queue: Buffer[] = [];
  return {
    add(message: JsonMessage) {
      if (message.end === message.start) return;
      const priority = (settings.facility << 3) | (message.stream === 2 ? SEVERITY_ERROR : SEVERITY_INFO);
      const ns = parseRfc3339(message.time.toString('latin1', message.timeStart, message.timeEnd)) ?? 0n;
      const header = Buffer.from(headerOf(settings.format, priority, tag, ns));
      const body = Buffer.concat([header, message.data.subarray(message.start, message.end), NEWLINE]);
      queue.push(counted ? Buffer.concat([Buffer.from(`${body.length} `), body]) : body);
    },
    async flush() {
      const messages = queue;
      queue = [];
      if (messages.length === 0) return;
      transport ??= openTransport(settings, options);
      await transport.send(messages);
    },
    close() {
      transport?.close();
      transport = undefined;
    },
  };
}

const NEWLINE = Buffer.from('\n');
