import { WharfError } from '@wharf/kit';
import { type RawValues, setRawValue } from './raw-values.ts';
import { DIRECTIVES, type Directive } from './schema.ts';

/** What the command line of the daemon says. */
export interface ParsedFlags {
  readonly values: RawValues;
  readonly help: boolean;
  readonly version: boolean;
  /** Check the configuration and exit. */
  readonly validate: boolean;
}

const SWITCHES = { help: 'h', version: 'v', validate: undefined } as const;

/**
 * Reads the daemon's arguments as dockerd does: `--flag value`, `--flag=value`, `-l debug`, `-ldebug`, `-Dl debug`;
 * list flags may be repeated. Throws `invalid-argument` on unknown flags, missing or bad values and positional arguments.
 */
export function parseFlags(argv: readonly string[]): ParsedFlags {
  const values: RawValues = new Map();
  const switches = { help: false, version: false, validate: false };
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (!argument.startsWith('-') || argument === '-')
      throw invalid(`"wharfd" accepts no arguments, got "${argument}"`);
    if (argument === '--') {
      if (rest.length > 0) throw invalid(`"wharfd" accepts no arguments, got "${rest[0]}"`);
      break;
    }
    if (argument.startsWith('--')) parseLong({ argument, rest, values, switches });
    else parseShorts({ argument, rest, values, switches });
  }
  return { values, ...switches };
}

interface ParseState {
  readonly argument: string;
  readonly rest: string[];
  readonly values: RawValues;
  readonly switches: { help: boolean; version: boolean; validate: boolean };
}

function parseLong({ argument, rest, values, switches }: ParseState): void {
  const equals = argument.indexOf('=');
  const name = equals < 0 ? argument.slice(2) : argument.slice(2, equals);
  let value = equals < 0 ? undefined : argument.slice(equals + 1);
  if (name === 'help' || name === 'version' || name === 'validate') {
    switches[name] = value !== 'false';
    return;
  }
  const directive = DIRECTIVES.find((row) => row.flag === name);
  if (directive === undefined) throw invalid(`unknown flag: --${name}`);
  if (value === undefined && directive.kind !== 'bool') {
    value = rest.shift();
    if (value === undefined) throw invalid(`flag needs an argument: --${name}`);
  }
  setRawValue(values, directive, value ?? 'true', `for "${shownName(directive)}" flag`);
}

function parseShorts({ argument, rest, values, switches }: ParseState): void {
  for (let at = 1; at < argument.length; at += 1) {
    const letter = argument.charAt(at);
    if (letter === SWITCHES.help) {
      switches.help = true;
      continue;
    }
    if (letter === SWITCHES.version) {
      switches.version = true;
      continue;
    }
    const directive = DIRECTIVES.find((row) => row.short === letter);
    if (directive === undefined) throw invalid(`unknown shorthand flag: '${letter}' in ${argument}`);
    const where = `for "${shownName(directive)}" flag`;
    const attached = argument.slice(at + 1);
    if (directive.kind === 'bool') {
      if (attached.startsWith('=')) {
        setRawValue(values, directive, attached.slice(1), where);
        return;
      }
      setRawValue(values, directive, 'true', where);
      continue;
    }
    const value = attached === '' ? rest.shift() : attached.replace(/^=/, '');
    if (value === undefined) throw invalid(`flag needs an argument: '${letter}' in ${argument}`);
    setRawValue(values, directive, value, where);
    return;
  }
}

/** The text of `--help`. */
export function helpText(): string {
  const rows: [string, string][] = DIRECTIVES.map((directive) => [flagColumn(directive), directive.help]);
  rows.push(
    ['    --validate', 'Check the configuration and exit'],
    ['-h, --help', 'Print this text'],
    ['-v, --version', 'Print the version'],
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`);
  return [
    '',
    'Usage:  wharfd [OPTIONS]',
    '',
    "The container engine's daemon, in the foreground.",
    '',
    'Options:',
    ...lines,
    '',
  ].join('\n');
}

function flagColumn(directive: Directive): string {
  const short = directive.short === undefined ? '    ' : `-${directive.short}, `;
  const types = {
    string: ' string',
    bool: '',
    int: ' int',
    list: ' list',
    map: ' map',
    runtimes: ' runtime',
    ulimits: ' ulimit',
    pools: ' pool',
    'driver-options': ' driver=option',
  };
  return `${short}--${directive.flag}${types[directive.kind]}`;
}

function shownName(directive: Directive): string {
  return directive.short === undefined ? `--${directive.flag}` : `-${directive.short}, --${directive.flag}`;
}

function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message, { hint: "See 'wharfd --help'." });
}
