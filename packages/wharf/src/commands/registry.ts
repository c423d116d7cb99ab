import { parseArgs } from 'node:util';
import { anyArguments, defineCommand } from '../cli/command.ts';

const HELP = `Usage:  wharf registry COMMAND

Commands:
  serve    Serve images: --listen HOST:PORT (127.0.0.1:5000), --root DIR, --config FILE, --monitor HOST:PORT,
           --access-log FILE, --log-level LEVEL, --log-format text|json

Administration, of a registry that runs or not: wharf registry SUBJECT VERB … --root DIR [--json]; \`wharf registry help\` lists it`;

/** `wharf registry …`: serves a registry, and looks after one. */
export const registry = defineCommand({
  usage: 'COMMAND',
  flags: {},
  args: anyArguments,
  raw: true,
  run: ({ args, json }) => dispatch(args, json),
});

async function dispatch(line: readonly string[], json: boolean): Promise<number> {
  const [verb, ...rest] = line;
  if (verb === 'serve') return serve(rest);
  const { administer, administrationHelp } = await import('./registry-administer.ts');
  const status = await administer(line, json);
  if (status !== undefined) return status;
  if (verb === 'help' || verb === '--help') {
    console.log(`${HELP}\n\n${administrationHelp()}`);
    return 0;
  }
  console.error(verb === undefined ? HELP : `wharf: 'registry ${verb}' is not a wharf command.\n${HELP}`);
  return 2;
}

async function serve(line: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...line],
    options: {
      listen: { type: 'string', multiple: true },
      root: { type: 'string' },
      config: { type: 'string' },
      monitor: { type: 'string' },
      'access-log': { type: 'string' },
      'log-level': { type: 'string' },
      'log-format': { type: 'string' },
    },
  });
  const { registrySettings } = await import('../registry/settings.ts');
  const settings = registrySettings(values.config, {
    listen: values.listen,
    root: values.root,
    monitor: values.monitor,
    accessLog: values['access-log'],
    logLevel: values['log-level'],
    logFormat: values['log-format'] as 'text' | 'json' | undefined,
  });
  const [{ serveRegistry }, { createLogger }] = await Promise.all([
    import('../registry/serve.ts'),
    import('../logger.ts'),
  ]);
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  const running = await serveRegistry(settings, log);
  log.info({ addresses: running.addresses, root: settings.root, startMs: Math.round(performance.now()) }, 'ready');
  process.on('SIGHUP', () => running.reload());
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, 'stopping');
  await running.close();
  return 0;
}
