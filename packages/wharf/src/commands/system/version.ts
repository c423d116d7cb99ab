import type { DockerClient } from '@wharf/wire/docker-client/client';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { ansiDate } from '../../daemon-info/ansi-date.ts';
import { type ClientVersion, clientVersion } from '../../daemon-info/client-version.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { alignTabs } from '../../term/tab-columns.ts';

interface Component {
  readonly Name: string;
  readonly Version: string;
  readonly Details?: Readonly<Record<string, string>> | null;
}

interface DaemonVersion {
  readonly Platform?: { readonly Name?: string };
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
  readonly GitCommit?: string;
  readonly GoVersion?: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime?: string;
  readonly Experimental?: boolean;
  readonly Components?: readonly Component[] | null;
}

const COLUMNS = { leastWidth: 20, padding: 1 };
const TEMPLATE_STATUS = 64;

/** `wharf version`: the client's version, and the daemon's when one answers (status 1 when none does). */
export const version = defineCommand({
  usage: '[OPTIONS]',
  description: 'Show the versions of client and daemon',
  flags: { format: { kind: 'string', short: 'f', default: '', help: INSPECT_FORMAT_HELP } },
  args: noArguments,
  json: true,
  examples: ['wharf version', "wharf version --format '{{.Server.Version}}'"],
  run: async (context) => {
    const { format } = context.flags;
    const render = format === '' || context.json ? undefined : await templateOf(format);
    const daemon = await context.client();
    const { server, problem } = await ask(daemon);
    const Client = clientVersion(context, await daemon.apiVersion().catch(() => undefined));
    const data = { Client, Server: server ?? null };
    if (context.json) context.out.line(JSON.stringify(data, null, 2));
    else if (render === undefined) context.out.write(alignTabs(`${textOf(Client, server)}\n`, COLUMNS));
    else {
      const { text, error } = render(data);
      context.out.write(alignTabs(`${text}\n`, COLUMNS));
      if (error !== undefined && problem === undefined) throw error;
    }
    if (problem !== undefined) throw problem;
  },
});

async function ask(daemon: DockerClient): Promise<{ readonly server?: DaemonVersion; readonly problem?: unknown }> {
  try {
    return { server: complete(await daemon.json<DaemonVersion>('GET', '/version')) };
  } catch (problem) {
    return { problem };
  }
}

/** Daemons of old do not list their components. */
function complete(server: DaemonVersion): DaemonVersion {
  const components = server.Components ?? [];
  if (components.some(({ Name }) => Name === 'Engine')) {
    return {
      ...server,
      Components: components.map((each) => {
        const { Name, Details } = each;
        if (Name !== 'Engine' || Details?.['BuildTime'] === undefined) return each;
        return { ...each, Details: { ...Details, BuildTime: ansiDate(Details['BuildTime']) } };
      }),
    };
  }
  const Details = {
    ApiVersion: server.ApiVersion,
    Arch: server.Arch,
    BuildTime: ansiDate(server.BuildTime ?? ''),
    Experimental: String(server.Experimental ?? false),
    GitCommit: server.GitCommit ?? '',
    GoVersion: server.GoVersion ?? '',
    MinAPIVersion: server.MinAPIVersion ?? '',
    Os: server.Os,
  };
  return { ...server, Components: [...components, { Name: 'Engine', Version: server.Version, Details }] };
}

function textOf(client: ClientVersion, server: DaemonVersion | undefined): string {
  const { ApiVersion = client.DefaultAPIVersion, DefaultAPIVersion } = client;
  const older = ApiVersion === DefaultAPIVersion ? '' : ` (downgraded from ${DefaultAPIVersion})`;
  const lines = [
    'Client:',
    ` Version:\t${client.Version}`,
    ` API version:\t${ApiVersion}${older}`,
    ` Go version:\t${client.GoVersion}`,
    ` Git commit:\t${client.GitCommit}`,
    ` Built:\t${client.BuildTime}`,
    ` OS/Arch:\t${client.Os}/${client.Arch}`,
    ` Context:\t${client.Context}`,
  ];
  if (server !== undefined) {
    const name = server.Platform?.Name ?? '';
    lines.push('', `Server:${name === '' ? '' : ` ${name}`}`);
    for (const component of server.Components ?? []) lines.push(...componentLines(component));
  }
  return lines.join('\n');
}

function componentLines({ Name, Version, Details }: Component): readonly string[] {
  const detail = (key: string): string => Details?.[key] ?? '';
  if (Name !== 'Engine') {
    const keys = Object.keys(Details ?? {}).toSorted();
    return [` ${Name}:`, `  Version:\t${Version}`, ...keys.map((key) => `  ${key}:\t${detail(key)}`)];
  }
  return [
    ` ${Name}:`,
    `  Version:\t${Version}`,
    `  API version:\t${detail('ApiVersion')} (minimum version ${detail('MinAPIVersion')})`,
    `  Go version:\t${detail('GoVersion')}`,
    `  Git commit:\t${detail('GitCommit')}`,
    `  Built:\t${detail('BuildTime')}`,
    `  OS/Arch:\t${detail('Os')}/${detail('Arch')}`,
    `  Experimental:\t${detail('Experimental')}`,
  ];
}

async function templateOf(format: string) {
  const [{ GoTemplate }, { GoValue }, { TemplateError }, types] = await Promise.all([
    import('@wharf/kit/go-template/template'),
    import('@wharf/kit/go-template/value'),
    import('@wharf/kit/go-template/template-error'),
    import('../../daemon-info/version-type.ts'),
  ]);
  try {
    const template = new GoTemplate(format === 'json' ? '{{json .}}' : format, { name: 'version' });
    return (data: object) => template.renderPart(new GoValue(types.versionType, data));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ExitError(TEMPLATE_STATUS, `template parsing error: ${error.message}`);
  }
}
