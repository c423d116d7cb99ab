import { writeFile } from 'node:fs/promises';
import {
  configEnvironment,
  configHashes,
  configImages,
  configProfiles,
  configResources,
  configServices,
  configVariables,
  renderConfig,
} from '@wharf/compose/config/config';
import { renderVariables } from '@wharf/compose/config/variables';
import type { LoadOptions } from '@wharf/compose/load/load-project';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { goQuote } from './containers.ts';
import { printSection } from './sections.ts';
import { ComposeSession } from './session.ts';

const FLAGS = {
  environment: { kind: 'bool', help: 'Print environment used for interpolation.' },
  format: {
    kind: 'string',
    default: '',
    help: 'Format the output. Values: [yaml | json]',
    complete: ['yaml', 'json'],
  },
  hash: { kind: 'string', default: '', help: 'Print the service config hash, one per line.' },
  images: { kind: 'bool', help: 'Print the image names, one per line.' },
  'lock-image-digests': { kind: 'bool', help: 'Produces an override file with image digests' },
  models: { kind: 'bool', help: 'Print the model names, one per line.' },
  networks: { kind: 'bool', help: 'Print the network names, one per line.' },
  'no-consistency': {
    kind: 'bool',
    help: "Don't check model consistency - warning: may produce invalid Compose output",
  },
  'no-env-resolution': { kind: 'bool', help: "Don't resolve service env files" },
  'no-interpolate': { kind: 'bool', help: "Don't interpolate environment variables" },
  'no-normalize': { kind: 'bool', help: "Don't normalize compose model" },
  'no-path-resolution': { kind: 'bool', help: "Don't resolve file paths" },
  output: { kind: 'string', short: 'o', default: '', help: 'Save to file (default to stdout)', complete: 'file' },
  profiles: { kind: 'bool', help: 'Print the profile names, one per line.' },
  quiet: { kind: 'bool', short: 'q', help: "Only validate the configuration, don't print anything" },
  'resolve-image-digests': { kind: 'bool', help: 'Pin image tags to digests' },
  services: { kind: 'bool', help: 'Print the service names, one per line.' },
  variables: { kind: 'bool', help: 'Print model variables and default values.' },
  volumes: { kind: 'bool', help: 'Print the volume names, one per line.' },
} as const satisfies FlagTable;

type ConfigContext = CliContext<typeof FLAGS>;

export const config = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  description: 'Parse, resolve and render compose file in canonical format',
  json: true,
  flags: FLAGS,
  args: anyArguments,
  complete: ['service'],
  examples: [
    'wharf compose config -q                  # is it right?',
    'wharf compose config --format json web',
    "wharf compose config --hash '*'",
    'wharf compose config --variables',
  ],
  run: async (context) => {
    const text = await answer(context, new ComposeSession(context));
    const { quiet, output } = context.flags;
    if (quiet || text === '') return;
    if (output === '') context.out.write(text);
    else await writeFile(output, text);
  },
});

async function answer(context: ConfigContext, session: ComposeSession): Promise<string> {
  const { flags } = context;
  const load = loadOptions(context, session);
  if (flags.services) return lines(await configServices(load));
  if (flags.volumes) return lines(await configResources(load, 'volumes'));
  if (flags.networks) return lines(await configResources(load, 'networks'));
  if (flags.models) return lines(await configResources(load, 'models'));
  if (flags.hash !== '') {
    const hashes = await configHashes(load, flags.hash === '*' ? [] : flags.hash.split(','));
    return lines(hashes.map(([name, hash]) => `${name} ${hash}`));
  }
  if (flags.profiles) return lines(await configProfiles(load));
  if (flags.images) return lines(await configImages(load));
  if (flags.variables) return variables(context, load);
  if (flags.environment) return lines(await configEnvironment(load));
  return document(context, session, load);
}

async function document(context: ConfigContext, session: ComposeSession, load: LoadOptions): Promise<string> {
  const { flags, json } = context;
  const format = json ? 'json' : flags.format || 'yaml';
  if (format !== 'yaml' && format !== 'json') {
    throw new ExitError(1, `unsupported format ${goQuote(format)}`, 'There are yaml and json.');
  }
  const imagesOnly = flags['lock-image-digests'];
  if (!imagesOnly && !flags['resolve-image-digests']) return renderConfig(load, { format });
  const { digestResolver } = await import('./image-digests.ts');
  return renderConfig(load, { format, imagesOnly, resolveDigest: await digestResolver(session) });
}

function loadOptions({ flags, args }: ConfigContext, session: ComposeSession): LoadOptions {
  return session.loadOptions({
    services: args,
    interpolate: !flags['no-interpolate'],
    resolvePaths: !flags['no-path-resolution'],
    normalize: !flags['no-normalize'],
    checkConsistency: !flags['no-consistency'],
  });
}

async function variables({ flags, out, json }: ConfigContext, load: LoadOptions): Promise<string> {
  const found = await configVariables(load);
  if (flags.format === 'yaml') return renderVariables(found, 'yaml');
  if (json || flags.format === 'json') return renderVariables(found, 'json');
  const rows = found.map((each) => [each.name, String(each.required), each.defaultValue, each.presenceValue]);
  const headers = ['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE'];
  printSection(out, flags.format, { headers, rows, json: [] });
  return '';
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
