import { readFileSync } from 'node:fs';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { DAEMON_JSON_LIMIT_BYTES } from '../limits.ts';
import { parseBuildCacheConfig } from './build-cache.ts';
import { parseBuildHistoryConfig } from './build-history.ts';
import {
  type AddressPool,
  type RawValue,
  type RawValues,
  type RuntimeChoice,
  setRawValue,
  type Ulimit,
} from './raw-values.ts';
import { runtimeEntry } from './runtime-entry.ts';
import { type Directive, directiveOfKey } from './schema.ts';

/**
 * Reads daemon.json. A missing file is empty unless `required`. Throws `invalid-argument` naming the file and the reason: bad JSON,
 * unknown keys (dockerd's words), a value of the wrong type, a bad value.
 */
export function readDaemonJson(path: string, options: { readonly required: boolean }): RawValues {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT') && !options.required) return new Map();
    const reason = hasErrno(error, 'ENOENT') ? `open ${path}: no such file or directory` : messageOf(error);
    throw new WharfError('invalid-argument', inFile(path, reason), { cause: error });
  }
  if (text.length > DAEMON_JSON_LIMIT_BYTES) {
    throw new WharfError(
      'resource-exhausted',
      inFile(path, `the file is larger than ${DAEMON_JSON_LIMIT_BYTES} bytes`),
    );
  }
  try {
    return parseDaemonJson(text);
  } catch (error) {
    throw new WharfError('invalid-argument', inFile(path, messageOf(error)), { cause: error });
  }
}

function inFile(path: string, reason: string): string {
  return `unable to configure the daemon with file ${path}: ${reason}`;
}

/** Parses the text of daemon.json; an empty text is an empty configuration. */
export function parseDaemonJson(text: string): RawValues {
  const values: RawValues = new Map();
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') return values;
  let document: unknown;
  try {
    document = JSON.parse(trimmed);
  } catch (error) {
    throw new WharfError('invalid-argument', `invalid JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new WharfError('invalid-argument', 'invalid JSON: the file must hold one object');
  }
  const { proxies, builder, features, ...directives } = document as Record<string, unknown>;
  readProxies(proxies, values);
  readBuilder(builder, values);
  checkFeatures(features);
  const unknown = Object.keys(directives).filter((key) => directiveOfKey(key) === undefined);
  if (unknown.length > 0) {
    throw new WharfError(
      'invalid-argument',
      `the following directives don't match any configuration option: ${unknown.join(', ')}`,
    );
  }
  for (const [key, value] of Object.entries(directives)) {
    const directive = directiveOfKey(key);
    if (directive !== undefined && value !== null) values.set(directive.flag, decode(directive, key, value));
  }
  return values;
}

const PROXIES = ['http-proxy', 'https-proxy', 'no-proxy'];

/** dockerd keeps these three in an object of their own. */
function readProxies(proxies: unknown, values: RawValues): void {
  if (proxies === undefined || proxies === null) return;
  if (!isRecord(proxies)) throw new WharfError('invalid-argument', 'invalid value of "proxies": must be an object');
  for (const [name, value] of Object.entries(proxies)) {
    if (!PROXIES.includes(name)) {
      throw new WharfError(
        'invalid-argument',
        `the following directives don't match any configuration option: proxies.${name}`,
      );
    }
    if (typeof value !== 'string') {
      throw new WharfError('invalid-argument', `invalid value of "proxies.${name}": must be a string`);
    }
    values.set(name, value);
  }
}

/**
 * Switches of dockerd between its old parts and its new ones (`{"features": {"buildkit": true}}`). There is but one of each here, so
 * they are taken and change nothing. Throws when they are not switches.
 */
function checkFeatures(features: unknown): void {
  if (features === undefined || features === null) return;
  const isSwitches = isRecord(features) && Object.values(features).every((value) => typeof value === 'boolean');
  if (isSwitches) return;
  throw new WharfError('invalid-argument', 'invalid value of "features": must be an object of true and false');
}

const ENTITLEMENTS = ['network-host', 'security-insecure'];

/** `{"builder": {"entitlements": {"security-insecure": true}, "gc": {…}}}`, as dockerd has it. */
function readBuilder(builder: unknown, values: RawValues): void {
  const { entitlements: given, gc, history } = section(builder, 'builder', ['entitlements', 'gc', 'history']);
  if (history !== undefined && history !== null) {
    const text = JSON.stringify(history);
    parseBuildHistoryConfig(text);
    values.set('builder-history', text);
  }
  if (gc !== undefined && gc !== null) {
    const text = JSON.stringify(gc);
    parseBuildCacheConfig(text);
    values.set('builder-gc', text);
  }
  for (const [name, value] of Object.entries(section(given, 'builder.entitlements', ENTITLEMENTS))) {
    if (typeof value !== 'boolean') {
      const text = `invalid value of "builder.entitlements.${name}": must be true or false`;
      throw new WharfError('invalid-argument', text);
    }
    values.set(`builder-${name}`, value);
  }
}

/** An object within the file, letters of whose keys may be of either case, as in Go. Throws for keys that it cannot have. */
function section(value: unknown, name: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw new WharfError('invalid-argument', `invalid value of "${name}": must be an object`);
  const entries = Object.entries(value).map(([key, each]) => [key.toLowerCase(), each] as const);
  const unknown = entries.find(([key]) => !keys.includes(key))?.[0];
  if (unknown === undefined) return Object.fromEntries(entries);
  const text = `the following directives don't match any configuration option: ${name}.${unknown}`;
  throw new WharfError('invalid-argument', text);
}

function decode(directive: Directive, key: string, value: unknown): RawValue {
  const wrongType = (expected: string) =>
    new WharfError('invalid-argument', `invalid value of "${key}": must be ${expected}, got ${JSON.stringify(value)}`);
  switch (directive.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrongType('true or false');
      return value;
    case 'int':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType('an integer');
      return checked(directive, key, String(value));
    case 'string':
      if (typeof value !== 'string') throw wrongType('a string');
      return checked(directive, key, value);
    case 'list':
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
        throw wrongType('a list of strings');
      for (const item of value) checked(directive, key, item);
      return value;
    case 'map':
      if (!isRecord(value) || !Object.values(value).every((item) => typeof item === 'string'))
        throw wrongType('an object of strings');
      return value as Record<string, string>;
    case 'runtimes':
      if (!isRecord(value)) throw wrongType('an object of runtimes');
      return Object.fromEntries(
        Object.entries(value).map(([name, entry]) => [name, decodeRuntime(name, entry, wrongType)]),
      );
    case 'pools':
      if (!Array.isArray(value) || !value.every(isPool)) throw wrongType('a list of objects with "base" and "size"');
      return value.map(({ base, size }) => ({ base, size }));
    case 'driver-options':
      if (!isRecord(value) || !Object.values(value).every(isTexts)) throw wrongType('an object of objects of strings');
      return value as Readonly<Record<string, Readonly<Record<string, string>>>>;
    case 'ulimits':
      if (!isRecord(value)) throw wrongType('an object of limits');
      return Object.entries(value).map(([name, entry]) => decodeUlimit(name, entry, wrongType));
  }
}

function checked(directive: Directive, key: string, text: string): RawValue {
  const values: RawValues = new Map();
  setRawValue(values, directive, text, `of "${key}"`);
  return values.get(directive.flag) ?? text;
}

function decodeRuntime(name: string, entry: unknown, wrongType: (expected: string) => WharfError): RuntimeChoice {
  if (!isRecord(entry)) throw wrongType('an object whose entries have a "path"');
  return runtimeEntry(name, entry);
}

function decodeUlimit(name: string, entry: unknown, wrongType: (expected: string) => WharfError): Ulimit {
  if (!isRecord(entry) || typeof entry['Soft'] !== 'number' || typeof entry['Hard'] !== 'number')
    throw wrongType('limits with "Soft" and "Hard"');
  return { name, soft: entry['Soft'], hard: entry['Hard'] };
}

const isTexts = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((item) => typeof item === 'string');

const isPool = (value: unknown): value is AddressPool =>
  isRecord(value) && typeof value['base'] === 'string' && Number.isSafeInteger(value['size']);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
