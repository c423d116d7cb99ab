import { defineCommand, noArguments } from '../cli/command.ts';
import { getJson } from '../client.ts';

/** `wharf info`: what the daemon says of itself and its machine. */
export const info = defineCommand({
  usage: '',
  flags: {},
  args: noArguments,
  json: true,
  run: (context) => show(context.endpoint().host, context.json),
});

async function show(host: string, json: boolean): Promise<number> {
  const answer = (await getJson(host, '/info')) as Readonly<Record<string, unknown>>;
  if (json) {
    console.log(JSON.stringify(answer, null, 2));
    return 0;
  }
  for (const [label, text] of rows(answer, host)) console.log(`${label.padEnd(18)} ${text}`);
  for (const warning of (answer['Warnings'] as readonly string[] | null) ?? []) console.error(warning);
  return 0;
}

function rows(answer: Readonly<Record<string, unknown>>, host: string): readonly (readonly [string, string])[] {
  const text = (key: string) => {
    const value = answer[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const containers = `${text('Containers')} (${text('ContainersRunning')} running, ${text('ContainersPaused')} paused, ${text('ContainersStopped')} stopped)`;
  return [
    ['Address', host],
    ['Name', text('Name')],
    ['Daemon', text('ServerVersion')],
    ['Containers', containers],
    ['Images', text('Images')],
    ['Data root', text('DockerRootDir')],
    ['Layers', text('Driver')],
    ['Log driver', text('LoggingDriver')],
    ['Cgroups', `v${text('CgroupVersion')}, ${text('CgroupDriver')}`],
    ['Runtime', text('DefaultRuntime')],
    ['Kernel', text('KernelVersion')],
    [
      'System',
      `${text('OperatingSystem')}, ${text('NCPU')} CPUs, ${(Number(answer['MemTotal'] ?? 0) / 1024 ** 3).toFixed(1)} GiB`,
    ],
  ];
}
