import { daemonHost } from '../client.ts';
import type { Command } from '../commands/command.ts';

interface Entry {
  readonly help: string;
  readonly load: () => Promise<Command>;
  /** The command reads its own options; ours stand before its name. */
  readonly ownOptions?: true;
}

/** Subcommands; each loads its own code only when asked for. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  build: {
    help: 'Build an image from a Dockerfile',
    load: async () => (await import('../commands/build.ts')).build,
    ownOptions: true,
  },
  builder: {
    help: 'Look after the build cache: du, prune, cache ls | export | import',
    load: async () => (await import('../commands/builder.ts')).builder,
    ownOptions: true,
  },
  disk: {
    help: 'Whose the bytes below the data root are',
    load: async () => (await import('../commands/disk.ts')).disk,
  },
  doctor: {
    help: 'Look at the machine: what keeps containers from running, and how to mend it',
    load: async () => (await import('../commands/doctor.ts')).doctor,
  },
  info: {
    help: 'What the daemon says of itself and its machine',
    load: async () => (await import('../commands/info.ts')).info,
  },
  registry: {
    help: 'Serve images to others, and look after what is served',
    load: async () => (await import('../commands/registry.ts')).registry,
    ownOptions: true,
  },
  version: {
    help: 'Versions of client and daemon',
    load: async () => (await import('../commands/version.ts')).version,
  },
};

const USAGE_STATUS = 2;

interface Invocation {
  host: string | undefined;
  json: boolean;
  help: boolean;
  version: boolean;
  readonly rest: string[];
}

/** Global options may stand before or after the subcommand. Returns a message when the line makes no sense. */
function parse(argv: readonly string[]): Invocation | string {
  const found: Invocation = { host: undefined, json: false, help: false, version: false, rest: [] };
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (argument === '--host' || argument === '-H') {
      at += 1;
      found.host = argv[at];
      if (found.host === undefined) return `flag needs an argument: ${argument}`;
    } else if (argument.startsWith('--host=')) found.host = argument.slice('--host='.length);
    else if (argument === '--json') found.json = true;
    else if (argument === '--help' || argument === '-h') found.help = true;
    else if (argument === '--version' || argument === '-v') found.version = true;
    else if (argument.startsWith('-')) return `unknown flag: ${argument}`;
    else {
      found.rest.push(argument);
      if (Object.hasOwn(COMMANDS, argument) && COMMANDS[argument]?.ownOptions === true) {
        found.rest.push(...argv.slice(at + 1));
        break;
      }
    }
  }
  return found;
}

function usage(): string {
  const rows = Object.entries(COMMANDS).map(([name, { help }]) => `  ${name.padEnd(10)} ${help}`);
  return [
    'Usage:  wharf [OPTIONS] COMMAND',
    '',
    'Commands:',
    ...rows,
    '',
    'Options:',
    '  -H, --host string   Address of the daemon (or WHARF_HOST, DOCKER_HOST; default unix:///run/wharf.sock)',
    '      --json          Answer in JSON',
    '  -h, --help          Print this text',
    '  -v, --version       Print the version',
  ].join('\n');
}

async function main(): Promise<number> {
  const found = parse(process.argv.slice(2));
  if (typeof found === 'string') {
    console.error(`wharf: ${found}\nSee 'wharf --help'.`);
    return USAGE_STATUS;
  }
  const [name, ...rest] = found.rest;
  if (found.version) {
    const { wharfVersion } = await import('../version.ts');
    console.log(`wharf version ${wharfVersion()}`);
    return 0;
  }
  if (found.help || name === undefined) {
    console.log(usage());
    return found.help ? 0 : USAGE_STATUS;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    console.error(`wharf: '${name}' is not a wharf command.\nSee 'wharf --help'.`);
    return USAGE_STATUS;
  }
  try {
    const run = await command.load();
    return await run({ host: daemonHost(found.host), given: found.host, json: found.json, arguments: rest });
  } catch (error) {
    const { WharfError } = await import('@wharf/kit');
    if (!(error instanceof WharfError)) throw error;
    console.error(`${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}`);
    return 1;
  }
}

process.exitCode = await main();
