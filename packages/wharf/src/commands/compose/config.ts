import { writeFile } from 'node:fs/promises';
import { serviceHash } from '@wharf/compose/config/hash';
import { renderDocument, renderProject } from '@wharf/compose/config/render';
import { imageName } from '@wharf/compose/convert/names';
import { allServices, noSuchService } from '@wharf/compose/load/select';
import { variablesOf } from '@wharf/compose/load/variables';
import type { Project } from '@wharf/compose/model/project';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { goQuote } from './containers.ts';
import { forOnePlatform } from './platforms.ts';
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
  const { flags, args } = context;
  const names = async (read: (project: Project) => readonly string[], services: readonly string[] = []) =>
    lines(read(await session.load({ ...loadOptions(flags), services, resolveEnvironment: false })));
  if (flags.services) return flags['no-interpolate'] ? names(serviceNames) : names(inDependencyOrder);
  if (flags.volumes) return names(({ volumes }) => Object.keys(volumes).toSorted());
  if (flags.networks) return names(({ networks }) => Object.keys(networks).toSorted());
  if (flags.models) return names(({ models }) => Object.values(models).flatMap(({ model }) => model ?? []));
  if (flags.hash !== '') return names((project) => hashes(project, flags.hash));
  if (flags.profiles) return names(profilesOf, args);
  if (flags.images) return names(imagesOf, args);
  if (flags.variables) return variables(context, session);
  if (flags.environment) {
    const { environment } = await session.load({ ...loadOptions(flags), services: args });
    return lines(
      Object.entries(environment)
        .map(([key, value]) => `${key}=${value}`)
        .toSorted(),
    );
  }
  return document(context, session);
}

async function document(context: ConfigContext, session: ComposeSession): Promise<string> {
  const { flags, args, json } = context;
  const format = json ? 'json' : flags.format || 'yaml';
  if (format !== 'yaml' && format !== 'json') {
    throw new ExitError(1, `unsupported format ${goQuote(format)}`, 'There are yaml and json.');
  }
  const isLock = flags['lock-image-digests'];
  const isPinned = flags['resolve-image-digests'] || isLock;
  if (flags['no-interpolate']) {
    if (isPinned) throw new ExitError(1, '--no-interpolate and digests of images cannot be had together');
    const { document: model } = await session.loadModel({ ...loadOptions(flags), interpolate: false });
    return renderDocument(model, format);
  }
  const resolveEnvironment = flags['no-env-resolution'] ? false : 'all';
  let project = await session.load({ ...loadOptions(flags), services: args, resolveEnvironment });
  if (isPinned) {
    const { withDigests } = await import('./image-digests.ts');
    project = await withDigests(session, project);
  }
  return renderProject(isLock ? imagesOnly(project) : project, format);
}

function loadOptions(flags: ConfigContext['flags']) {
  return {
    interpolate: !flags['no-interpolate'],
    resolvePaths: !flags['no-path-resolution'],
    normalize: !flags['no-normalize'],
    checkConsistency: !flags['no-consistency'],
  };
}

async function variables({ flags, out, json }: ConfigContext, session: ComposeSession): Promise<string> {
  const { document: model } = await session.loadModel({ ...loadOptions(flags), interpolate: false });
  const found = variablesOf(model);
  if (flags.format === 'yaml') {
    return found
      .map((each) => {
        const text = (value: string): string => (value === '' ? '""' : value);
        return `${each.name}:\n    name: ${each.name}\n    defaultvalue: ${text(each.defaultValue)}\n    presencevalue: ${text(each.presenceValue)}\n    required: ${each.required}\n`;
      })
      .join('');
  }
  if (json || flags.format === 'json') {
    const table = found.map(({ name, defaultValue, presenceValue, required }) => [
      name,
      { Name: name, DefaultValue: defaultValue, PresenceValue: presenceValue, Required: required },
    ]);
    // Docker compose ends this with an empty line.
    return `${JSON.stringify(Object.fromEntries(table), null, 4)}\n\n`;
  }
  const rows = found.map((each) => [each.name, String(each.required), each.defaultValue, each.presenceValue]);
  const headers = ['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE'];
  printSection(out, flags.format, { headers, rows, json: [] });
  return '';
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

function serviceNames({ services }: Project): readonly string[] {
  return Object.keys(services).toSorted();
}

/** Names sorted, each behind those it depends on. */
function inDependencyOrder(project: Project): readonly string[] {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name) || project.services[name] === undefined) return;
    for (const needed of Object.keys(project.services[name].depends_on ?? {}).toSorted()) visit(needed);
    seen.add(name);
  };
  for (const name of serviceNames(project)) visit(name);
  return [...seen];
}

function hashes(given: Project, wanted: string): readonly string[] {
  const project = forOnePlatform(given);
  const names = wanted === '*' ? serviceNames(project) : wanted.split(',').toSorted();
  return names.map((name) => {
    const service = project.services[name];
    if (service === undefined) throw noSuchService(name);
    return `${name} ${serviceHash(service)}`;
  });
}

function profilesOf(project: Project): readonly string[] {
  return [...new Set(Object.values(allServices(project)).flatMap(({ profiles = [] }) => profiles))].toSorted();
}

function imagesOf(project: Project): readonly string[] {
  return serviceNames(project).map((name) => imageName(project.name, name, project.services[name] ?? {}));
}

/** Nothing but the images: an override file that pins them. */
function imagesOnly(project: Project): Project {
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, { image }]) => [name, image === undefined ? {} : { image }]),
  );
  const empty = { networks: {}, volumes: {}, secrets: {}, configs: {}, models: {}, extensions: {} };
  return { ...project, ...empty, name: '', services };
}
