import { WharfError } from '@wharf/kit';
import type { EventMessage } from '@wharf/wire/docker/types';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import { stringifyJson } from '@wharf/wire/json';
import type { Engine } from '../engine.ts';
import type { EngineEvent } from '../events/event-bus.ts';
import { parseTimestamp } from './timestamp.ts';

/** Media types a client may ask for (RFC 7464, and the two names of newline-delimited JSON). */
const STREAM_TYPES = ['application/jsonl', 'application/x-ndjson', 'application/json-seq'];

const RECORD_SEPARATOR = '\u001e';

/** One event as the wire has it; `legacy` adds the three lower-case fields clients below 1.52 read. */
export function toEventMessage(event: EngineEvent, legacy: boolean): EventMessage {
  const message: EventMessage = {
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: event.attributes },
    scope: event.scope,
    time: Number(event.timeNs / 1_000_000_000n),
    timeNano: event.timeNs,
  };
  if (!legacy || (event.type !== 'container' && event.type !== 'image')) return message;
  const from = event.type === 'container' ? { from: event.attributes.image ?? '' } : {};
  return { status: event.action, id: event.actorId, ...from, ...message };
}

/** The type the client asked for by `Accept`, else the version's own. */
function contentTypeFor(request: ApiRequest): string {
  for (const entry of (request.headers.accept ?? '').split(',')) {
    const type = entry.split(';')[0]?.trim().toLowerCase() ?? '';
    if (STREAM_TYPES.includes(type)) return type;
  }
  return request.atLeast(52) ? 'application/jsonl' : 'application/json';
}

function bounds(request: ApiRequest, nowNs: bigint): { readonly sinceNs?: bigint; readonly untilNs?: bigint } {
  const sinceNs = parseTimestamp('since', request.query.get('since'), nowNs);
  const untilNs = parseTimestamp('until', request.query.get('until'), nowNs);
  if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs) {
    const [since, until] = [request.query.get('since'), request.query.get('until')];
    throw new WharfError('invalid-argument', `\`since\` time (${since}) cannot be after \`until\` time (${until})`);
  }
  return {
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined ? {} : { untilNs }),
  };
}

/** `GET /events`: what the ring keeps, then what happens, one JSON document a line. */
export function eventsRoutes({ events, clock }: Pick<Engine, 'events' | 'clock'>): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/events',
      handler: async (request: ApiRequest, response: ApiResponse) => {
        const span = bounds(request, clock.nowNs());
        const filters = request.query.filters();
        const contentType = contentTypeFor(request);
        const before = contentType === 'application/json-seq' ? RECORD_SEPARATOR : '';
        const subscription = events.subscribe({ ...span, filters, signal: request.signal });
        const out = response.stream(200, contentType);
        try {
          for await (const event of subscription) {
            // Image creation became an event with 1.46.
            if (!request.atLeast(46) && event.type === 'image' && event.action === 'create') continue;
            await out.write(`${before}${stringifyJson(toEventMessage(event, !request.atLeast(52)))}\n`);
          }
        } catch (error) {
          // The client going away is how most of these streams end.
          if (!request.signal.aborted) throw error;
        }
        out.end();
      },
    },
  ];
}
