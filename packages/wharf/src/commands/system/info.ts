import { messageOf } from '@wharf/kit/errors';
import { ConnectionError } from '@wharf/wire/docker-client/errors';
import { defineCommand, noArguments } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import { clientVersion } from '../../daemon-info/client-version.ts';
import type { DaemonInfo } from '../../daemon-info/info-text.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';

const TEMPLATE_STATUS = 64;

/** `wharf info`: what the daemon says of itself and its machine. */
export const info = defineCommand({
  usage: '[OPTIONS]',
  description: 'Display system-wide information',
  flags: { format: { kind: 'string', short: 'f', default: '', help: INSPECT_FORMAT_HELP } },
  args: noArguments,
  json: true,
  examples: ['wharf info', "wharf info --format '{{.Driver}}'"],
  run: (context) => {
    const { format } = context.flags;
    if (context.json) return showJson(context);
    return format === '' ? showText(context) : showTemplate(context, format);
  },
});

interface Asked {
  readonly info?: DaemonInfo;
  /** What the daemon says instead. */
  readonly problem?: string;
  /** Nobody answers. */
  readonly failure?: unknown;
}

async function ask(context: CliContext): Promise<Asked> {
  try {
    return { info: await (await context.client()).json<DaemonInfo>('GET', '/info') };
  } catch (error) {
    return error instanceof ConnectionError ? { failure: error } : { problem: messageOf(error) };
  }
}

async function showJson(context: CliContext): Promise<void> {
  const { info: found, problem, failure } = await ask(context);
  if (failure !== undefined) throw failure;
  const ServerErrors = problem === undefined ? {} : { ServerErrors: [problem] };
  context.out.line(JSON.stringify({ ...found, ...ServerErrors, ClientInfo: clientInfo(context) }, null, 2));
}

function clientInfo(context: CliContext) {
  return { Debug: context.globals.values.debug, ...clientVersion(context), Plugins: [], Warnings: null };
}

async function showText(context: CliContext): Promise<void> {
  const { out, err } = context;
  const client = clientInfo(context);
  const { info: found, problem, failure } = await ask(context);
  out.line(`Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}`);
  out.line('\nServer:');
  if (found !== undefined) {
    const { infoLines } = await import('../../daemon-info/info-text.ts');
    out.line(infoLines(found, await hubUser()).join('\n'));
    for (const warning of found.Warnings ?? []) err.line(warning);
  }
  if (failure !== undefined) throw failure;
  if (problem !== undefined) throw new ExitError(1, `ERROR: ${problem}\nerrors pretty printing info`);
}

/** The name that is logged in to Docker's registry, where the configuration has it. */
async function hubUser(): Promise<string> {
  const { ConfigFile } = await import('../../client-config/config-file.ts');
  const { auth = '', username } = ConfigFile.read().values.auths?.['https://index.docker.io/v1/'] ?? {};
  return username ?? Buffer.from(auth, 'base64').toString('utf8').split(':')[0] ?? '';
}

async function showTemplate(context: CliContext, format: string): Promise<void> {
  const [{ GoTemplate }, { GoValue }, { TemplateError }, { infoType, clientOnlyType }] = await Promise.all([
    import('@wharf/kit/go-template/template'),
    import('@wharf/kit/go-template/value'),
    import('@wharf/kit/go-template/template-error'),
    import('../../daemon-info/info-type.ts'),
  ]);
  const text = format === 'json' ? '{{json .}}' : format;
  const parsed = parse();
  const ClientInfo = clientInfo(context);
  const asked = isForClient() ? {} : await ask(context);
  if (asked.problem !== undefined) context.err.line(asked.problem);
  const ServerErrors = asked.problem === undefined ? {} : { ServerErrors: [asked.problem] };
  const data = { ...asked.info, ...ServerErrors, ClientInfo };
  const { text: rendered, error } = parsed.renderPart(new GoValue(infoType, data));
  context.out.line(rendered);
  if (asked.failure !== undefined) throw asked.failure;
  if (error !== undefined) throw error;

  function parse(): InstanceType<typeof GoTemplate> {
    try {
      return new GoTemplate(text);
    } catch (failure) {
      if (!(failure instanceof TemplateError)) throw failure;
      throw new ExitError(TEMPLATE_STATUS, `template parsing error: ${failure.message}`);
    }
  }

  function isForClient(): boolean {
    if (text === '{{json .}}' || !/\.[a-zA-Z]/.test(text)) return false;
    return parsed.renderPart(new GoValue(clientOnlyType, { ClientInfo })).error === undefined;
  }
}
