import { defineCommand, noArguments } from '../cli/command.ts';
import { getJson } from '../client.ts';
import { wharfVersion } from '../version.ts';

interface DaemonVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

/** `wharf version`: the client's version, and the daemon's when one answers (status 1 when none does). */
export const version = defineCommand({
  usage: '',
  flags: {},
  args: noArguments,
  json: true,
  run: (context) => ask(context.endpoint().host, context.json),
});

async function ask(host: string, json: boolean): Promise<number> {
  const client = {
    version: wharfVersion(),
    node: process.versions.node,
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
  let server: DaemonVersion | undefined;
  let problem: unknown;
  try {
    server = (await getJson(host, '/version')) as DaemonVersion;
  } catch (error) {
    problem = error;
  }
  if (json) console.log(JSON.stringify({ client, ...(server === undefined ? {} : { server }) }, null, 2));
  else show(client, server, host);
  if (problem !== undefined) throw problem;
  return 0;
}

function show(
  client: { readonly version: string; readonly node: string; readonly platform: string },
  server: DaemonVersion | undefined,
  host: string,
): void {
  const rows: [string, string][] = [
    ['Client', client.version],
    ['  Node', client.node],
    ['  Platform', client.platform],
  ];
  if (server !== undefined) {
    rows.push(
      ['Daemon', server.Version],
      ['  Address', host],
      ['  API', `${server.ApiVersion} (from ${server.MinAPIVersion ?? '1.24'})`],
    );
    rows.push(['  Platform', `${server.Os}/${server.Arch}`], ['  Kernel', server.KernelVersion]);
    for (const { Name, Version } of server.Components ?? []) rows.push([`  ${Name}`, Version]);
  }
  for (const [name, value] of rows) console.log(`${name.padEnd(14)} ${value}`);
}
