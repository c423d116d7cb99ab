import { ONE_OFF, PROJECT, SERVICE } from '@wharf/compose/convert/labels';
import { formatRfc3339Nano } from '@wharf/kit/go-time';
import type { EventMessage } from '@wharf/wire/docker/types';
import { toTimestamp } from '@wharf/wire/docker-client/timestamp';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { set } from './containers.ts';
import { goJson } from './progress/plain.ts';
import { ComposeSession } from './session.ts';

export const events = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    json: { kind: 'bool', help: 'Output events as a stream of json objects' },
    since: { kind: 'string', help: 'Show all events created since timestamp' },
    until: { kind: 'string', help: 'Stream events until this timestamp' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose events --json web'],
  run: async (context) => {
    const { json, since, until } = context.flags;
    const session = new ComposeSession(context);
    const name = await session.projectName();
    const client = await session.client();
    const moment = (text: string | undefined): string | undefined =>
      text === undefined || text === '' ? undefined : toTimestamp(text, Date.now());
    const query = {
      ...{ since: moment(since), until: moment(until) },
      filters: { label: set([`${PROJECT}=${name}`]) },
    };
    for await (const event of client.messages<EventMessage>('GET', '/events', { query, signal: session.signal })) {
      const { Type, Actor } = event;
      const service = Actor.Attributes[SERVICE] ?? '';
      if (Type !== 'container' || Actor.Attributes[ONE_OFF] === 'True') continue;
      if (context.args.length > 0 && !context.args.includes(service)) continue;
      // Docker compose leaves a line free behind each event.
      context.out.line(json ? asJson(event, service) : `${asText(event)}\n`);
    }
  },
});

/** The fields by name, as Go writes a map. */
function asJson(event: EventMessage, service: string): string {
  const { Actor, Action } = event;
  const time = formatRfc3339Nano(nanoseconds(event));
  return goJson({ action: Action, attributes: attributesOf(event), id: Actor.ID, service, time, type: 'container' });
}

/** `2026-01-02 15:04:05.123456 container start 0123… (image=busybox, name=app-web-1)`. */
function asText(event: EventMessage): string {
  const time = formatRfc3339Nano(nanoseconds(event));
  const [day = '', rest = ''] = time.replace('Z', '').split('T');
  const [clock = '', fraction = ''] = rest.split('.');
  const micro = fraction.padEnd(6, '0').slice(0, 6);
  const attributes = Object.entries(attributesOf(event)).map(([key, value]) => `${key}=${value}`);
  return `${day} ${clock}.${micro} container ${event.Action} ${event.Actor.ID} (${attributes.join(', ')})`;
}

function nanoseconds({ time = 0, timeNano }: EventMessage): bigint {
  return timeNano === undefined ? BigInt(time) * 1_000_000_000n : BigInt(timeNano);
}

/** Without compose's own labels, sorted. */
function attributesOf({ Actor: { Attributes } }: EventMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(Attributes)
      .filter(([key]) => !key.startsWith('com.docker.compose.'))
      .toSorted(([left], [right]) => (left < right ? -1 : 1)),
  );
}
