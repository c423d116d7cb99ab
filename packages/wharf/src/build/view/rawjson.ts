import type { StatusMessage, TimestampMessage } from '@wharf/builder/buildkit/messages';
import type { View } from './view.ts';

/** Every message as a line of JSON, in the words of BuildKit's client (`client.SolveStatus`). */
export function rawJsonView(write: (text: string) => void): View {
  return {
    update: (_, message) => write(`${JSON.stringify(rawStatus(message))}\n`),
    finish: () => undefined,
  };
}

function rawStatus({ vertexes = [], statuses = [], logs = [], warnings = [] }: StatusMessage): object {
  return {
    ...list(
      'vertexes',
      vertexes.map(({ digest, inputs = [], name, started, completed, cached = false, error = '' }) => ({
        ...{ digest, ...list('inputs', inputs), name, ...time({ started, completed }) },
        ...(cached ? { cached } : {}),
        ...(error === '' ? {} : { error }),
      })),
    ),
    ...list(
      'statuses',
      statuses.map(({ ID: id, vertex, name = '', total = 0, current = 0, timestamp, started, completed }) => ({
        ...{ id, vertex, ...(name === '' ? {} : { name }), ...(total === 0 ? {} : { total }), current },
        ...time({ timestamp, started, completed }),
      })),
    ),
    ...list(
      'logs',
      logs.map(({ vertex, stream, msg, timestamp }) => ({
        ...{ vertex, stream, data: Buffer.from(msg).toString('base64'), ...time({ timestamp }) },
      })),
    ),
    ...list(
      'warnings',
      warnings.map(({ vertex, level, short, detail, url, info, ranges }) => ({
        ...{ vertex, level, short: base64(short), detail: detail.map(base64), url },
        ...{ sourceInfo: { ...info, data: base64(info.data) }, range: ranges },
      })),
    ),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function list(name: string, values: readonly unknown[]): object {
  return values.length === 0 ? {} : { [name]: values };
}

/** Times with all their digits (RFC 3339); absent ones are left out. */
function time(given: Readonly<Record<string, TimestampMessage | undefined>>): object {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => {
      if (value === undefined || value.seconds <= 0) return [];
      const text = new Date(value.seconds * 1000).toISOString().slice(0, 19);
      const fraction = String(value.nanos).padStart(9, '0').replace(/0+$/, '');
      return [[name, `${text}${fraction === '' ? '' : `.${fraction}`}Z`]];
    }),
  );
}
