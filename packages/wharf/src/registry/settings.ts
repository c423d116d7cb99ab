import { readFileSync } from 'node:fs';
import { messageOf, WharfError } from '@wharf/kit';
import type { RateSettings } from '@wharf/registry/policy/rate-limits';
import type { ProxySettings } from '@wharf/registry/proxy/settings';

/** How a registry is to run: the file of `--config` with the command line laid over it. */
export interface RegistrySettings {
  /** `HOST:PORT`, or `unix:///PATH`. */
  readonly listen: readonly string[];
  readonly root: string;
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    readonly clientCa?: string;
    readonly requireClientCert?: boolean;
  };
  /** Address of `/metrics`, `/healthz` and `/readyz`. */
  readonly monitor?: string;
  /** A file, or `-` for standard output. */
  readonly accessLog?: string;
  readonly logLevel: string;
  readonly logFormat: 'text' | 'json';
  readonly graceSeconds?: number;
  readonly collectEverySeconds?: number;
  readonly uploadTtlSeconds?: number;
  readonly sparseIndexes?: boolean;
  /** Control access before there is a user; with one it is controlled anyway. */
  readonly accessControl?: boolean;
  /** The name that tokens are made out for. */
  readonly service?: string;
  /** How clients reach it, where a proxy stands before it. */
  readonly publicUrl?: string;
  /** A file, or `none`; `audit.log` below the root when absent. */
  readonly auditLog?: string;
  readonly rateLimits?: RateSettings;
  /** Prefixes that are caches of other registries. */
  readonly proxies?: readonly ProxySettings[];
  /** Directories with `hosts.toml` and certificates of upstream registries. */
  readonly registryDirectories?: readonly string[];
}

export type PartialSettings = { readonly [K in keyof RegistrySettings]?: RegistrySettings[K] | undefined };

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === 'string' && value !== '';
const texts: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(text);
const seconds: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1e9;
const flag: Check = (value) => typeof value === 'boolean';

const CHECKS: Readonly<Record<keyof RegistrySettings, Check>> = {
  listen: texts,
  root: text,
  tls: isTls,
  monitor: text,
  accessLog: text,
  logLevel: (value) => ['debug', 'info', 'warn', 'error'].includes(String(value)),
  logFormat: (value) => value === 'text' || value === 'json',
  graceSeconds: seconds,
  collectEverySeconds: seconds,
  uploadTtlSeconds: seconds,
  sparseIndexes: flag,
  accessControl: flag,
  service: (value) => typeof value === 'string' && /^[\w.:-]{1,255}$/.test(value),
  publicUrl: (value) => typeof value === 'string' && /^https?:\/\/[\w.:[\]-]+$/.test(value),
  auditLog: text,
  rateLimits: isRates,
  proxies: (value) => Array.isArray(value) && value.length <= 1000 && value.every(isProxy),
  registryDirectories: texts,
};

function isTls(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const checks: Readonly<Record<string, Check>> = { cert: text, key: text, clientCa: text, requireClientCert: flag };
  const entries = Object.entries(value);
  return 'cert' in value && 'key' in value && entries.every(([name, each]) => checks[name]?.(each) === true);
}

function isProxy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('prefix' in value) || !('upstream' in value)) return false;
  const checks: Readonly<Record<string, Check>> = {
    prefix: (each) => typeof each === 'string' && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(each),
    upstream: (each) => typeof each === 'string' && /^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(each),
    ...{ username: text, passwordFile: text, tagTtlSeconds: seconds, insecure: flag },
  };
  return Object.entries(value).every(([name, each]) => checks[name]?.(each) === true);
}

function isRates(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const isNumber = (each: unknown): boolean => typeof each === 'number' && each > 0 && each <= 1e9;
  return Object.entries(value).every(([name, rate]: [string, unknown]) => {
    if (!['perAddress', 'perUser'].includes(name) || typeof rate !== 'object' || rate === null) return false;
    const { requests, perSeconds, ...rest } = { requests: 0, perSeconds: 0, ...rate };
    return isNumber(requests) && isNumber(perSeconds) && Object.keys(rest).length === 0;
  });
}

/**
 * Reads the file, if any, and lays the command line over it. Throws `invalid-argument` naming what is wrong with which setting.
 */
export function registrySettings(path: string | undefined, line: PartialSettings): RegistrySettings {
  const file = path === undefined ? {} : readSettings(path);
  const given = Object.fromEntries(Object.entries(line).filter(([, value]) => value !== undefined));
  const merged = { listen: ['127.0.0.1:5000'], logLevel: 'info', logFormat: 'json', ...file, ...given };
  for (const [name, value] of Object.entries(merged)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof RegistrySettings] : undefined;
    if (check === undefined)
      throw new WharfError('invalid-argument', `Cannot use the setting "${name}": there is none of that name`);
    if (!check(value))
      throw new WharfError(
        'invalid-argument',
        `Cannot use the setting "${name}": ${JSON.stringify(value)} makes no sense there`,
      );
  }
  if (!('root' in merged)) throw new WharfError('invalid-argument', 'Cannot serve: --root is missing');
  return merged as RegistrySettings;
}

function readSettings(path: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof found === 'object' && found !== null && !Array.isArray(found))
      return found as Readonly<Record<string, unknown>>;
    throw new Error('it is no JSON object');
  } catch (cause) {
    throw new WharfError('invalid-argument', `Cannot read "${path}": ${messageOf(cause)}`, { cause });
  }
}
