import { readFileSync } from 'node:fs';
import { findJsonFault } from '@wharf/wire/json-fault';
import { goFileError } from '../values/file-errors.ts';
import { refuse } from '../values/refuse.ts';

export interface Security {
  /** `null` when nothing was asked for. */
  readonly options: readonly string[] | null;
  /** Empty lists lay the kernel's files open (`systempaths=unconfined`); `null` is the daemon's choice. */
  readonly maskedPaths: readonly string[] | null;
  readonly readonlyPaths: readonly string[] | null;
}

/** Reads `--security-opt`s: a seccomp profile's file becomes its content. Throws in docker's words. */
export function readSecurity(given: readonly string[]): Security {
  if (given.length === 0) return { options: null, maskedPaths: null, readonlyPaths: null };
  const options = given.map(readOption);
  const open = options.includes('systempaths=unconfined');
  return {
    options: options.filter((option) => option !== 'systempaths=unconfined'),
    maskedPaths: open ? [] : null,
    readonlyPaths: open ? [] : null,
  };
}

function readOption(text: string): string {
  const [, key = text, value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? /^([^:]*):(.*)$/s.exec(text) ?? [];
  if (text === 'no-new-privileges' || key === 'no-new-privileges') return text;
  if (value === '') throw refuse(`Invalid --security-opt: ${JSON.stringify(text)}`);
  if (key !== 'seccomp' || value === 'builtin' || value === 'unconfined') return text;
  let profile: string;
  try {
    profile = readFileSync(value, 'utf8');
  } catch (error) {
    throw refuse(`opening seccomp profile (${value}) failed: ${goFileError(error, value)}`);
  }
  return `seccomp=${compactJson(profile, value)}`;
}

/** Without the blanks between its parts; numbers and texts stay as they are written. */
function compactJson(text: string, path: string): string {
  try {
    JSON.parse(text);
  } catch {
    const fault = findJsonFault(text);
    const what = fault.kind === 'syntax' ? fault.message : trailing(text, fault.end);
    throw refuse(`compacting json for seccomp profile (${path}) failed: ${what}`);
  }
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1');
}

function trailing(text: string, end: number): string {
  return `invalid character '${text.slice(end).trim().charAt(0)}' after top-level value`;
}
