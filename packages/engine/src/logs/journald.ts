import { existsSync } from 'node:fs';
import { newId, WharfError } from '@wharf/kit';
import { UnixDatagram } from '@wharf/linux/unix-datagram';
import type { ContainerRecord } from '../containers/container.ts';
import { chosenAttributes } from './attributes.ts';
import type { JsonMessage } from './json-encode.ts';
import type { LogOptions } from './options.ts';
import type { MessageSink } from './spool-forwarder.ts';
import { renderTag } from './tag.ts';

const SOCKET = '/run/systemd/journal/socket';
/** Levels of syslog(3): err and info. */
const PRIORITY_ERROR = '3';
const PRIORITY_INFO = '6';

/** A field's name as journald takes it: upper case, digits and underscores, no underscore first. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '_')
    .replace(/^_+/, '');
}

/** One field of the native protocol (systemd, JOURNAL_NATIVE_PROTOCOL): values with newlines carry their length. */
function encodeField(name: string, value: Buffer): readonly Buffer[] {
  if (!value.includes(0x0a)) return [Buffer.from(`${name}=`), value, Buffer.from('\n')];
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return [Buffer.from(`${name}\n`), length, value, Buffer.from('\n')];
}

/** Throws as dockerd does when there is no journald. */
export function checkJournald(socketPath = SOCKET): void {
  if (!existsSync(socketPath)) {
    throw new WharfError('failed-precondition', 'journald is not enabled on this host');
  }
}

/** Sends to journald by its native protocol, with the fields of dockerd's driver. */
export function createJournaldSink(record: ContainerRecord, options: LogOptions, socketPath = SOCKET): MessageSink {
  const tag = renderTag(record, options['tag'] || '{{.ID}}');
  const fixed: Buffer[] = [];
  const fields: Record<string, string> = {
    CONTAINER_ID: record.id.slice(0, 12),
    CONTAINER_ID_FULL: record.id,
    CONTAINER_NAME: record.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: record.config.Image ?? '',
    SYSLOG_IDENTIFIER: tag,
    CONTAINER_LOG_EPOCH: newId(),
  };
  for (const [name, value] of Object.entries(chosenAttributes(record, options))) fields[fieldName(name)] = value;
  for (const [name, value] of Object.entries(fields)) fixed.push(...encodeField(name, Buffer.from(value)));
  const constant = Buffer.concat(fixed);
  return new JournaldSink(socketPath, constant);
}

class JournaldSink implements MessageSink {
  readonly #path: string;
  readonly #constant: Buffer;
  #socket: UnixDatagram | undefined;
  #queue: Buffer[] = [];
  #ordinal = 0;

  constructor(path: string, constant: Buffer) {
    this.#path = path;
    this.#constant = constant;
  }

  add(message: JsonMessage): void {
    this.#ordinal += 1;
    const parts = [
      ...encodeField('MESSAGE', message.data.subarray(message.start, message.end)),
      ...encodeField('PRIORITY', Buffer.from(message.stream === 2 ? PRIORITY_ERROR : PRIORITY_INFO)),
      ...encodeField('SYSLOG_TIMESTAMP', message.time.subarray(message.timeStart, message.timeEnd)),
      ...encodeField('CONTAINER_LOG_ORDINAL', Buffer.from(String(this.#ordinal))),
      ...(message.newline ? [] : encodeField('CONTAINER_PARTIAL_MESSAGE', Buffer.from('true'))),
      this.#constant,
    ];
    this.#queue.push(Buffer.concat(parts));
  }

  async flush(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    if (queue.length === 0) return;
    try {
      this.#socket ??= UnixDatagram.connect(this.#path);
      for (const datagram of queue) await this.#socket.send(datagram);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}
