import { WharfError } from '@wharf/kit';
import { DEFAULT_MAX_FILES, DEFAULT_MAX_SIZE_BYTES, MAX_FILES } from './limits.ts';
import { checkSyslogOptions } from './syslog-options.ts';
import { checkTag } from './tag.ts';

export type LogOptions = Readonly<Record<string, string>>;

/** Drivers in the order `info` shows them. */
export const LOG_DRIVERS = ['journald', 'json-file', 'local', 'none', 'syslog'] as const;
export type LogDriver = (typeof LOG_DRIVERS)[number];

export function isLogDriver(name: string): name is LogDriver {
  return (LOG_DRIVERS as readonly string[]).includes(name);
}

/** When a log file is turned, and how many are kept (the active one counts). */
export interface Rotation {
  /** Undefined: never. */
  readonly maxSizeBytes: number | undefined;
  readonly maxFiles: number;
  readonly compress: boolean;
}

const attributeOptions = ['env', 'env-regex', 'labels', 'labels-regex', 'tag'] as const;
const fileOptions = ['max-file', 'max-size', 'compress'] as const;
const known: Readonly<Record<Exclude<LogDriver, 'none'>, ReadonlySet<string>>> = {
  'json-file': new Set([...attributeOptions, ...fileOptions]),
  local: new Set([...attributeOptions, ...fileOptions]),
  journald: new Set(attributeOptions),
  syslog: new Set([
    ...attributeOptions,
    'syslog-address',
    'syslog-facility',
    'syslog-format',
    'syslog-tls-ca-cert',
    'syslog-tls-cert',
    'syslog-tls-key',
    'syslog-tls-skip-verify',
  ]),
};
/** Understood with every driver (dockerd's built-in options and those of the local cache). */
const common = new Set(['mode', 'max-buffer-size', 'cache-disabled']);
for (const name of [...attributeOptions, ...fileOptions]) common.add(`cache-${name}`);

function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}

const units: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `10m`, `1.5GB`, `512k`: decimal units unless `base` is 1024. Undefined when it is no size. */
export function parseSize(text: string, base: 1000 | 1024): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const exponent = units[(match?.[2] ?? '?').toLowerCase()];
  if (!match || exponent === undefined) return undefined;
  return Math.floor(Number(match[1]) * base ** exponent);
}

/** Go's strconv.ParseBool. */
function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

function readBool(options: LogOptions, name: string, otherwise: boolean): boolean {
  const text = options[name];
  if (text === undefined) return otherwise;
  const value = parseBool(text);
  if (value === undefined)
    throw invalid(`invalid boolean value for ${name}: strconv.ParseBool: parsing "${text}": invalid syntax`);
  return value;
}

function readMaxFiles(options: LogOptions, otherwise: number): number {
  const text = options['max-file'];
  if (text === undefined) return otherwise;
  if (!/^[+-]?\d+$/.test(text)) {
    throw invalid(`invalid value for max-file: ${text}: strconv.Atoi: parsing "${text}": invalid syntax`);
  }
  const value = Number(text);
  if (value < 1) throw invalid('max-file cannot be less than 1');
  return Math.min(value, MAX_FILES);
}

/**
 * Rotation of a driver with files. Without any option the defaults apply (20 MB, 5 files, compressed), so that no log
 * fills a disk; with `max-size` alone json-file keeps one file, as dockerd does.
 */
export function readRotation(driver: 'json-file' | 'local', options: LogOptions): Rotation {
  const sizeText = options['max-size'];
  const size = sizeText === undefined ? undefined : parseSize(sizeText, 1000);
  if (sizeText !== undefined && size === undefined) {
    throw invalid(`invalid value for max-size: ${sizeText}: invalid size: '${sizeText}'`);
  }
  if (size !== undefined && size <= 0 && driver === 'json-file') throw invalid('max-size must be a positive number');
  if (size !== undefined && size < 0) throw invalid('max-size must not be negative');
  const plain = fileOptions.every((name) => options[name] === undefined);
  const one = driver === 'json-file' && sizeText !== undefined;
  const maxFiles = readMaxFiles(options, one ? 1 : DEFAULT_MAX_FILES);
  const compress = readBool(options, 'compress', plain || driver === 'local');
  if (compress && maxFiles === 1) {
    throw invalid(
      driver === 'local'
        ? 'compression cannot be enabled when max file count is 1'
        : 'compress cannot be true when max-file is less than 2 or max-size is not set',
    );
  }
  return { maxSizeBytes: size === 0 ? undefined : (size ?? DEFAULT_MAX_SIZE_BYTES), maxFiles, compress };
}

/** Rotation of the local cache that keeps `docker logs` working for remote drivers; undefined when it is disabled. */
export function readCache(options: LogOptions): Rotation | undefined {
  if (parseBool(options['cache-disabled'] ?? 'false') === true) return undefined;
  const local: Record<string, string> = {};
  for (const name of fileOptions) {
    const value = options[`cache-${name}`];
    if (value !== undefined) local[name] = value;
  }
  return readRotation('local', local);
}

/** With `mode=non-blocking` messages may be lost rather than the process made to wait. */
export function mayDrop(options: LogOptions): boolean {
  return options['mode'] === 'non-blocking';
}

function checkCommon(options: LogOptions): void {
  const mode = options['mode'] ?? '';
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  const buffer = options['max-buffer-size'];
  if (buffer !== undefined) {
    if (mode !== 'non-blocking') {
      throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    }
    if (parseSize(buffer, 1024) === undefined) {
      throw invalid(`error parsing option max-buffer-size: invalid size: '${buffer}'`);
    }
  }
  const disabled = options['cache-disabled'];
  if (disabled !== undefined && disabled !== '' && parseBool(disabled) === undefined) {
    throw invalid(`invalid value for option cache-disabled: ${disabled}`);
  }
}

function checkRegex(options: LogOptions, name: string): void {
  try {
    new RegExp(options[name] ?? '', 'u');
  } catch (cause) {
    throw new WharfError('invalid-argument', `error parsing regexp: ${options[name]}`, { cause });
  }
}

/** Checks a driver's name and options. Throws `invalid-argument` in dockerd's words. */
export function validateLogOptions(driver: string, options: LogOptions): void {
  if (driver === 'none') return;
  checkCommon(options);
  if (!isLogDriver(driver) || driver === 'none') throw invalid(`logger: no log driver named '${driver}' is registered`);
  for (const name of Object.keys(options)) {
    if (common.has(name) || known[driver].has(name)) continue;
    // The local driver's sentence has its words in another order.
    const where = driver === 'local' ? 'log driver local' : `${driver} log driver`;
    throw invalid(`unknown log opt '${name}' for ${where}`);
  }
  checkRegex(options, 'labels-regex');
  checkRegex(options, 'env-regex');
  checkTag(options['tag'] ?? '');
  if (driver === 'syslog') checkSyslogOptions(options);
  if (driver === 'json-file' || driver === 'local') readRotation(driver, options);
  else readCache(options);
}
