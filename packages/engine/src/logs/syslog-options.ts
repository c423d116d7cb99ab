import { existsSync } from 'node:fs';
import { WharfError } from '@wharf/kit';

const facilityNames = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
] as const;
const FIRST_LOCAL = 16;
const DEFAULT_PORT = 514;

export type SyslogFormat = '' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';

export interface SyslogTarget {
  readonly kind: 'unix' | 'unixgram' | 'udp' | 'tcp' | 'tcp+tls';
  /** A socket's path for the unix kinds. */
  readonly path: string;
  readonly host: string;
  readonly port: number;
}

export interface SyslogSettings {
  /** Undefined: the machine's own syslog socket. */
  readonly target: SyslogTarget | undefined;
  readonly facility: number;
  readonly format: SyslogFormat;
}

function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}

function parseFacility(text: string): number {
  if (text === '') return facilityNames.indexOf('daemon');
  const named = (facilityNames as readonly string[]).indexOf(text);
  if (named >= 0) return named;
  const local = /^local([0-7])$/.exec(text);
  if (local) return FIRST_LOCAL + Number(local[1]);
  if (/^\d{1,2}$/.test(text) && Number(text) <= 23) return Number(text);
  throw invalid('invalid syslog facility');
}

function parseTarget(text: string): SyslogTarget | undefined {
  if (text === '') return undefined;
  const match = /^([a-z+]+):\/\/(.*)$/i.exec(text);
  const kind = match?.[1] ?? '';
  const rest = match?.[2] ?? '';
  if (kind === 'unix' || kind === 'unixgram') {
    if (!existsSync(rest)) throw invalid(`stat ${rest}: no such file or directory`);
    return { kind, path: rest, host: '', port: 0 };
  }
  if (kind !== 'udp' && kind !== 'tcp' && kind !== 'tcp+tls') throw invalid(`unsupported scheme: '${kind}'`);
  const address = /^(\[[^\]]*\]|[^:/]*)(?::(\d+))?(?:\/.*)?$/.exec(rest);
  if (!address) throw invalid(`address ${rest}: too many colons in address`);
  const port = address[2] === undefined ? DEFAULT_PORT : Number(address[2]);
  return { kind, path: '', host: (address[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function parseFormat(text: string): SyslogFormat {
  if (text === '' || text === 'rfc3164' || text === 'rfc5424' || text === 'rfc5424micro') return text;
  throw invalid('Invalid syslog format');
}

/** Reads the `syslog-*` options. Throws `invalid-argument` in dockerd's words. */
export function readSyslogSettings(options: Readonly<Record<string, string>>): SyslogSettings {
  return {
    target: parseTarget(options['syslog-address'] ?? ''),
    facility: parseFacility(options['syslog-facility'] ?? ''),
    format: parseFormat(options['syslog-format'] ?? ''),
  };
}

export function checkSyslogOptions(options: Readonly<Record<string, string>>): void {
  readSyslogSettings(options);
}
