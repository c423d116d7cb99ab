import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeast, defineCommand, type Entry, type Group } from './command.ts';
import { flagLines } from './flag-help.ts';
import type { FlagTable } from './flags.ts';
import { commandHelp, groupHelp } from './help.ts';

/** Flags of `docker ps` and `docker network create`, whose help this must be, byte for byte. */
const FLAGS = {
  'aux-address': { kind: 'map', help: 'Auxiliary IPv4 or IPv6 addresses used by Network driver' },
  'config-from': { kind: 'string', help: 'The network from which to copy the configuration' },
  driver: { kind: 'string', short: 'd', default: 'bridge', help: 'Driver to manage the Network' },
  gateway: { kind: 'strings', help: 'IPv4 or IPv6 Gateway for the master subnet' },
  hidden: { kind: 'bool', help: 'Not shown', hidden: true },
  ipv4: { kind: 'bool', default: true, help: 'Enable or disable IPv4 address assignment' },
  last: { kind: 'int', short: 'n', default: -1, help: 'Show n last created containers (includes all states)' },
  'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  'restart-delay': { kind: 'duration', help: 'Wait' },
  scope: { kind: 'string', help: "Control the network's scope\n'a': one\n'b': two" },
} as const satisfies FlagTable;

test('flagLines() aligns, wraps and shows defaults as pflag does', () => {
  assert.deepEqual(
    flagLines(FLAGS, 80),
    [
      '      --aux-address map          Auxiliary IPv4 or IPv6 addresses used by',
      '                                 Network driver (default map[])',
      '      --config-from string       The network from which to copy the',
      '                                 configuration',
      '  -d, --driver string            Driver to manage the Network (default',
      '                                 "bridge")',
      '      --gateway strings          IPv4 or IPv6 Gateway for the master subnet',
      '      --ipv4                     Enable or disable IPv4 address',
      '                                 assignment (default true)',
      '  -n, --last int                 Show n last created containers (includes',
      '                                 all states) (default -1)',
      "      --no-trunc                 Don't truncate output",
      '      --restart-delay duration   Wait',
      "      --scope string             Control the network's scope",
      "                                 'a': one",
      "                                 'b': two",
    ]
      .join('\n')
      .split(/\n(?= {2}(?: {2}|-))(?!\s{20})/),
  );
});

const rm = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  flags: { force: { kind: 'bool', short: 'f', help: 'Force the removal of one or more volumes' } },
  args: atLeast(1),
  examples: ['wharf volume rm data'],
  run: () => Promise.resolve(0),
});
const entry: Entry = {
  name: 'rm',
  aliases: ['remove'],
  help: 'Remove one or more volumes',
  load: () => Promise.resolve(rm),
};
const volume: Group = { name: 'volume', help: 'Manage volumes', commands: [entry] };
const root: Group = {
  name: 'wharf',
  help: 'Everything',
  commands: [
    volume,
    { ...entry, name: 'zap', aliases: [] },
    { ...entry, name: 'ps', common: 2 },
    { ...entry, name: 'run', common: 1 },
  ],
};

test('commandHelp() has the sections of docker, and examples', () => {
  const of = { names: ['wharf', 'volume', 'rm'], path: [root, volume, entry], columns: 80 };
  assert.equal(
    commandHelp(rm, of),
    `Usage:  wharf volume rm [OPTIONS] VOLUME [VOLUME...]

Remove one or more volumes

Aliases:
  wharf volume rm, wharf volume remove

Examples:
  wharf volume rm data

Options:
  -f, --force   Force the removal of one or more volumes`,
  );
});

test('groupHelp() lists nouns, verbs and, of the program, what is common', () => {
  assert.equal(
    groupHelp(
      root,
      { names: ['wharf'], path: [root], columns: 80 },
      { debug: { kind: 'bool', short: 'D', help: 'Enable debug mode' } },
    ),
    `Usage:  wharf [OPTIONS] COMMAND

Everything

Common Commands:
  run         Remove one or more volumes
  ps          Remove one or more volumes

Management Commands:
  volume      Manage volumes

Commands:
  zap         Remove one or more volumes

Global Options:
  -D, --debug   Enable debug mode

Run 'wharf COMMAND --help' for more information on a command.`,
  );
});
