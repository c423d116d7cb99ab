import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { hasErrno, messageOf, nullLogger, WharfError } from '@wharf/kit';
import type { Registry } from '@wharf/registry';
import type { Administration } from '@wharf/registry/admin/administration';
import type { Input, Operation, OptionKind } from '@wharf/registry/admin/operation';
import { OPERATIONS } from '@wharf/registry/admin/operations/index';
import type { Management } from '@wharf/registry/management';
import { socketAddress } from '../registry/socket-address.ts';
import { wharfVersion } from '../version.ts';
import { printResult } from './print-result.ts';

const USAGE_STATUS = 2;
const PROGRESS_MS = 500;

/** What every command understands beside its own options. */
const COMMON = { root: { type: 'string' }, json: { type: 'boolean' } } as const;

/** Texts for `wharf registry help`. */
export function administrationHelp(): string {
  return OPERATIONS.map((each) => `  ${usage(each)}\n      ${each.help}`).join('\n');
}

function usage({ name, arguments: names, options }: Operation): string {
  const flags = Object.entries(options).map(([option, kind]) =>
    kind === 'secret' ? `[--${option}-stdin]` : kind === 'flag' ? `[--${option}]` : `[--${option} …]`,
  );
  return [name, ...names.map((each) => each.toUpperCase()), ...flags].join(' ');
}

/** `wharf registry SUBJECT VERB …`; `undefined` when it is none of these commands. */
export async function administer(line: readonly string[], json: boolean): Promise<number | undefined> {
  const [subject, verb] = line;
  const ofSubject = OPERATIONS.filter(({ name }) => name.startsWith(`${subject} `) || name === subject);
  if (subject === undefined || ofSubject.length === 0) return undefined;
  const operation =
    ofSubject.find(({ name }) => name === `${subject} ${verb}`) ?? ofSubject.find(({ name }) => name === subject);
  if (operation === undefined) {
    console.error(`Usage:\n${ofSubject.map((each) => `  wharf registry ${usage(each)} --root DIR`).join('\n')}`);
    return USAGE_STATUS;
  }
  const rest = line.slice(operation.name.split(' ').length);
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(operation, rest);
  } catch (error) {
    console.error(`wharf: ${messageOf(error)}\nUsage:  wharf registry ${usage(operation)} --root DIR`);
    return USAGE_STATUS;
  }
  const result = await perform(parsed.root, operation, parsed.input);
  if (json || parsed.json) console.log(JSON.stringify(result));
  else printResult(result);
  return operation.isBad?.(result) === true ? 1 : 0;
}

function read(operation: Operation, line: readonly string[]) {
  const own = Object.entries(operation.options).map(
    ([name, kind]) => [optionName(name, kind), optionType(kind)] as const,
  );
  const { values, positionals } = parseArgs({
    args: [...line],
    allowPositionals: true,
    allowNegative: true,
    options: { ...COMMON, ...Object.fromEntries(own) },
  });
  if (positionals.length !== operation.arguments.length)
    throw new WharfError('invalid-argument', `${operation.name} takes ${operation.arguments.length} arguments`);
  const { root } = values;
  if (typeof root !== 'string') throw new WharfError('invalid-argument', '--root is missing');
  const input: Record<string, unknown> = {};
  for (const [place, name] of operation.arguments.entries()) input[name] = positionals[place];
  for (const [name, kind] of Object.entries(operation.options)) {
    const given: unknown = (values as Readonly<Record<string, unknown>>)[optionName(name, kind)];
    if (given !== undefined) input[name] = givenValue(name, kind, given);
  }
  return { root, json: values.json === true, input };
}

function optionName(name: string, kind: OptionKind): string {
  return kind === 'secret' ? `${name}-stdin` : name;
}

function optionType(kind: OptionKind): { type: 'string' | 'boolean'; multiple?: boolean } {
  if (kind === 'flag' || kind === 'secret') return { type: 'boolean' };
  return kind === 'list' ? { type: 'string', multiple: true } : { type: 'string' };
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
  ti: 1024 ** 4,
};
const TIME_UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 };

function givenValue(name: string, kind: OptionKind, given: unknown): unknown {
  // A secret on the command line would be seen by everybody on the machine.
  if (kind === 'secret') return given === true ? readFileSync(0, 'utf8').replace(/\r?\n$/, '') : undefined;
  if (kind === 'flag' || kind === 'list' || kind === 'text' || typeof given !== 'string') return given;
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(given) ?? [];
  const units = kind === 'bytes' ? BYTE_UNITS : kind === 'duration' ? TIME_UNITS : { '': 1 };
  const factor = units[unit.toLowerCase().replace(/(?<=.)b$/, '')];
  if (digits === '' || factor === undefined) {
    const example = kind === 'bytes' ? '10GiB' : kind === 'duration' ? '30d' : '5';
    throw new WharfError('invalid-argument', `--${name} makes no sense as "${given}": it is given like ${example}`);
  }
  return Math.round(Number(digits) * factor);
}

/** Has the running registry do it, or does it on the one that does not run. Long commands say on a terminal how far they are. */
async function perform(root: string, { name, isLong = false }: Operation, input: Input): Promise<unknown> {
  const ask = (operation: string, given: Input) => askRunning(root, JSON.stringify({ operation, input: given }));
  const answer = await watched(ask(name, input), isLong ? () => ask('progress', { of: name }) : undefined);
  if (answer !== undefined) return answer;
  return onStopped(root, name, (administration) =>
    watched(administration.run(name, input), isLong ? async () => administration.progressOf(name) : undefined),
  );
}

/** Opens a registry that does not run for one command. */
async function onStopped<T>(
  root: string,
  name: string,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const [{ openRegistry }, { createManagement }] = await Promise.all([
    import('@wharf/registry'),
    import('@wharf/registry/management'),
  ]);
  const { managementSettings } = await import('../registry/management-settings.ts');
  const held: { management?: Management } = {};
  const registry: Registry = await openRegistry({
    ...{ root, version: wharfVersion(), log: nullLogger },
    // Nobody pushes meanwhile, so nothing has to stay for those who do.
    ...(name === 'gc' ? { graceMs: 0 } : {}),
    async plugins(parts) {
      const settings = managementSettings({ root, listen: [], logLevel: 'error', logFormat: 'text' }, false);
      held.management = await createManagement(parts, settings, nullLogger, () => registry);
      return held.management.plugins;
    },
  });
  try {
    if (held.management === undefined) throw new WharfError('internal', 'The registry has no management');
    return await work(await held.management.administration());
  } finally {
    await registry.close();
    await held.management?.audit?.close();
  }
}

/** Waits for a command, and shows on a terminal how far it is. */
async function watched<T>(work: Promise<T>, progress: (() => Promise<unknown>) | undefined): Promise<T> {
  if (progress === undefined || !process.stderr.isTTY) return work;
  const timer = setInterval(() => {
    progress().then(
      (soFar) => {
        if (typeof soFar !== 'object' || soFar === null) return;
        const text = Object.entries(soFar).map(([what, value]) => `${value} ${what}`);
        process.stderr.write(`\r\x1b[K${text.join(', ')} …`);
      },
      () => {},
    );
  }, PROGRESS_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  }
}

/** `undefined` when nobody listens. Throws what the registry refuses. */
async function askRunning(root: string, body: string): Promise<unknown> {
  const text = await exchange(root, body);
  if (text === undefined) return undefined;
  const answer = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as {
    result?: unknown;
    error?: string;
    kind?: string;
  };
  if (answer.error !== undefined) throw new WharfError('failed-precondition', answer.error);
  return answer.result;
}

function exchange(root: string, body: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let place: ReturnType<typeof socketAddress>;
    try {
      place = socketAddress(root);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const socket = connect(place.path);
    const chunks: Buffer[] = [];
    socket.on('connect', () => {
      const head = `POST / HTTP/1.1\r\nHost: wharf\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      socket.write(head + body);
    });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (error) => {
      if (hasErrno(error, 'ENOENT') || hasErrno(error, 'ECONNREFUSED')) resolve(undefined);
      else reject(error);
    });
    socket.on('end', () => {
      socket.end();
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    socket.on('close', () => place[Symbol.dispose]());
  });
}
