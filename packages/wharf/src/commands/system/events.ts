import { defineCommand, noArguments } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import { type EventMessage, eventLine } from '../../daemon-info/event-line.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';

const TEMPLATE_STATUS = 64;

/** `wharf events`: what happens, as it happens. */
export const events = defineCommand({
  usage: '[OPTIONS]',
  description: 'Get real time events from the server',
  flags: {
    filter: filterFlag('Filter output based on conditions provided', 'f'),
    format: { kind: 'string', default: '', help: INSPECT_FORMAT_HELP },
    since: { kind: 'string', default: '', help: 'Show all events created since timestamp' },
    until: { kind: 'string', default: '', help: 'Stream events until this timestamp' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf events --filter type=container', 'wharf events --since 10m --until 0s --format json'],
  run: async (context) => {
    const { flags, out } = context;
    const format = context.json ? 'json' : flags.format;
    const print = format === '' ? eventLine : await templateOf(format);
    const query = {
      since: await moment(flags.since),
      until: await moment(flags.until),
      filters: filterQuery(flags.filter),
    };
    const daemon = await context.client();
    for await (const message of daemon.messages<EventMessage>('GET', '/events', { query })) {
      out.line(print(message));
    }
  },
});

async function moment(text: string): Promise<string | undefined> {
  if (text === '') return undefined;
  const { toTimestamp } = await import('@wharf/wire/docker-client/timestamp');
  return toTimestamp(text, Date.now());
}

async function templateOf(format: string): Promise<(message: EventMessage) => string> {
  const [{ GoTemplate }, { GoValue }, { TemplateError }, { pointerTo }, { eventType }] = await Promise.all([
    import('@wharf/kit/go-template/template'),
    import('@wharf/kit/go-template/value'),
    import('@wharf/kit/go-template/template-error'),
    import('@wharf/kit/go-template/types'),
    import('../../daemon-info/event-type.ts'),
  ]);
  try {
    const template = new GoTemplate(format === 'json' ? '{{json .}}' : format);
    // A field that no event has is complained of before the first one comes.
    template.render(new GoValue(pointerTo(eventType), {}));
    return (message) => template.render(new GoValue(eventType, message));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ExitError(TEMPLATE_STATUS, `Error parsing format: ${error.message}`);
  }
}
