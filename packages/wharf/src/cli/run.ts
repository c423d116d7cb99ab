import { type Command, type Group, isGroup } from './command.ts';
import { CliContext } from './context.ts';
import { checkCount } from './count-arguments.ts';
import { ExitError, FlagError, FlagUsageError } from './errors.ts';
import { childOf, type Found, findCommand } from './find-command.ts';
import type { FlagTable } from './flags.ts';
import { applyGlobals, GLOBAL_FLAGS, type Globals, globalFlagsWithDefaults } from './global-flags.ts';
import { Output } from './output.ts';
import { type ParsedLine, parseLine } from './parse-line.ts';

const JSON_FLAG = { json: { kind: 'bool', help: 'Answer in JSON' } } as const satisfies FlagTable;
const DEFAULT_COLUMNS = 80;

export interface Program {
  readonly root: Group;
  /** Its name in messages. */
  readonly name: string;
  readonly version: () => Promise<string>;
}

interface Run {
  readonly program: Program;
  readonly out: Output;
  readonly err: Output;
}

/** Runs a line and returns the exit status. Never throws for what the user or the daemon did. */
export async function runProgram(program: Program, argv: readonly string[]): Promise<number> {
  const run: Run = { program, out: new Output(1), err: new Output(2) };
  try {
    return await dispatch(run, argv);
  } catch (error) {
    const { reportError } = await import('./report-error.ts');
    return reportError(error, run.err, program.name);
  }
}

async function dispatch(run: Run, argv: readonly string[]): Promise<number> {
  const { program, out } = run;
  const globals = withUsage(
    () => parseLine(GLOBAL_FLAGS, argv, { interspersed: false }),
    () => [program.name],
  );
  const parsed = { values: globals.values, given: globals.given } as unknown as Globals;
  warn(run, globals);
  applyGlobals(parsed);
  const line = globals.positionals;
  if (parsed.values.version) {
    out.line(await program.version());
    return 0;
  }
  const isHelp = line[0] === 'help' && childOf(program.root, 'help') === undefined;
  const found = findCommand(program.root, program.name, isHelp ? line.slice(1) : line);
  if (isHelp && found.rest.length > 0) throw new ExitError(1, `unknown help topic: ${found.rest.join(' ')}`);
  if (globals.help || isHelp) return showHelp(run, found, out);
  try {
    return await (isGroup(found.node) ? runGroup(run, found, found.node) : runCommand(run, found, parsed));
  } catch (error) {
    const isShort = found.path.some((node) => isGroup(node) && node.shortFlagErrors === true);
    if (isShort && error instanceof FlagUsageError) throw new ExitError(1, error.message, error.hint);
    throw error;
  }
}

/** A line that ends at a noun: its help, or a complaint of the word that is none of its commands. */
async function runGroup(run: Run, found: Found, group: Group): Promise<number> {
  const { names } = found;
  const parsed = withUsage(
    () => parseLine(group.flags ?? {}, found.rest, { interspersed: true }),
    () => names,
  );
  warn(run, parsed);
  if (parsed.help) return showHelp(run, found, run.out);
  const [word] = parsed.positionals;
  if (word === undefined) return showHelp(run, found, run.err);
  const { unknownCommand } = await import('./unknown-command.ts');
  throw new ExitError(1, unknownCommand(group, names, word));
}

async function runCommand(run: Run, found: Found, globals: Globals): Promise<number> {
  const { names, node } = found;
  if (isGroup(node)) throw new TypeError(`${node.name} is a group`);
  const command = await node.load();
  if (command.raw === true) return statusOf(await command.run(rawContext(run, found, globals)));
  const table = command.json === true ? { ...command.flags, ...JSON_FLAG } : command.flags;
  const usage = () => names;
  const parsed = withUsage(
    () => parseLine(table, found.rest, { interspersed: command.interspersed ?? true }),
    usage,
    command,
  );
  const groups = found.groupLines.map(({ group, line }) =>
    withUsage(() => parseLine(group.flags ?? {}, line, { interspersed: true }), usage, command),
  );
  for (const each of [...groups, parsed]) warn(run, each);
  if (parsed.help || groups.some(({ help }) => help)) return showHelp(run, found, run.out);
  if (globals.values.json && command.json !== true) {
    throw new ExitError(1, `${names[0]}: '${names.join(' ')}' has nothing to answer in JSON\n\nRun it without --json`);
  }
  checkCount(command, names, parsed.positionals.length);
  const context = new CliContext({
    ...{ names, globals, out: run.out, err: run.err },
    ...{ values: parsed.values, given: parsed.given, args: parsed.positionals, beforeDash: parsed.beforeDash },
    ...groupValues(found, groups),
    json: globals.values.json || parsed.values['json'] === true,
  });
  try {
    return statusOf(await command.run(context));
  } catch (error) {
    throw error instanceof FlagError ? new FlagUsageError(error, names, command) : error;
  }
}

function statusOf(returned: unknown): number {
  return typeof returned === 'number' ? returned : 0;
}

/** For a command that reads its line itself. */
function rawContext({ out, err }: Run, { names, rest }: Found, globals: Globals): CliContext {
  const none = {
    values: {},
    given: new Set<string>(),
    beforeDash: undefined,
    groupValues: {},
    groupGiven: new Set<string>(),
  };
  return new CliContext({ names, globals, out, err, args: rest, json: globals.values.json, ...none });
}

/** The flags of all groups on the path, those that were given and the defaults of the others. */
function groupValues({ path, groupLines }: Found, parsed: readonly ParsedLine[]) {
  let values: Readonly<Record<string, unknown>> = {};
  const given = new Set<string>();
  for (const node of path) {
    if (!isGroup(node) || node.flags === undefined) continue;
    const at = groupLines.findIndex(({ group }) => group === node);
    const line = at < 0 ? undefined : parsed[at];
    values = { ...values, ...(line ?? parseLine(node.flags, [], { interspersed: true })).values };
    for (const name of line?.given ?? []) given.add(name);
  }
  return { groupValues: values, groupGiven: given };
}

/** Puts the usage line below what is wrong with a flag, as docker does. */
function withUsage(parse: () => ParsedLine, names: () => readonly string[], command?: Command): ParsedLine {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw new FlagUsageError(error, names(), command);
  }
}

/** On standard output, where docker has them. */
function warn({ out }: Run, { warnings }: ParsedLine): void {
  for (const text of warnings) out.line(text);
}

async function showHelp(run: Run, { names, path, node }: Found, to: Output): Promise<number> {
  const { commandHelp, groupHelp } = await import('./help.ts');
  const columns = run.out.columns ?? DEFAULT_COLUMNS;
  const of = { names, path, columns };
  if (!isGroup(node)) to.line(commandHelp(await node.load(), of));
  else if (path.length > 1) to.line(groupHelp(node, of));
  else to.line(groupHelp(node, of, globalFlagsWithDefaults()));
  return 0;
}
