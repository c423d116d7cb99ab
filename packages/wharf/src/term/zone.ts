import { readFileSync } from 'node:fs';

const ZONES = '/usr/share/zoneinfo';
const HEADER_BYTES = 44;

let known: string | undefined;

/** The abbreviation of the local time zone (`CET`) at an offset of so many minutes east; Go's `UTC` where no zone is set. */
export function zoneName(offsetMinutes: number): string {
  known ??= zoneRule();
  return nameInRule(known, offsetMinutes);
}

/**
 * The name in a rule of POSIX's TZ (`CET-1CEST,M3.5.0,M10.5.0/3`): the standard one where its offset is that of the time, else that of
 * summer. Without a name there, Go prints the offset.
 */
export function nameInRule(rule: string, offsetMinutes: number): string {
  const match = /^(<[^>]+>|[A-Za-z]+)([+-]?\d+(?::\d+)*)(<[^>]+>|[A-Za-z]+)?/.exec(rule);
  if (match === null) return 'UTC';
  const [, standard = '', offset = '0', summer] = match;
  const [hours = '0', minutes = '0'] = offset.replace(/^[+-]/, '').split(':');
  // POSIX counts westward.
  const east = (offset.startsWith('-') ? 1 : -1) * (Number(hours) * 60 + Number(minutes));
  const name = east === offsetMinutes || summer === undefined ? standard : summer;
  return name.replaceAll(/[<>]/g, '');
}

/** The rule at the end of the zone's file (RFC 8536, section 3.3). */
function zoneRule(): string {
  const zone = process.env['TZ']?.replace(/^:/, '');
  if (zone === '') return 'UTC0';
  const path = zone === undefined ? '/etc/localtime' : zone.startsWith('/') ? zone : `${ZONES}/${zone}`;
  try {
    const file = readFileSync(path);
    if (file.toString('latin1', 0, 4) !== 'TZif' || file.length < HEADER_BYTES) return 'UTC0';
    const text = file.toString('latin1').trimEnd();
    return text.slice(text.lastIndexOf('\n') + 1);
  } catch {
    // No zone is set, or none of that name is there: Go says UTC too.
    return 'UTC0';
  }
}
