import { WharfError } from '@wharf/kit';
import { type DaemonConfig, daemonConfig } from './daemon-config.ts';
import { readDaemonJson } from './daemon-json.ts';
import type { RawValue, RawValues, RuntimeChoice } from './raw-values.ts';
import { DIRECTIVES, keyOf } from './schema.ts';

export const DEFAULT_CONFIG_FILE = '/etc/wharf/daemon.json';

/**
 * The configuration in force: the command line over daemon.json over the defaults. A directive in both is refused, as dockerd does.
 * Throws `invalid-argument`.
 */
export function loadConfig(flags: RawValues): DaemonConfig {
  const named = flags.get('config-file');
  const path = typeof named === 'string' && named !== '' ? named : DEFAULT_CONFIG_FILE;
  const file = readDaemonJson(path, { required: named !== undefined });
  refuseConflicts({ path, flags, file });
  return daemonConfig(mergeValues(flags, file), path);
}

function refuseConflicts({ path, flags, file }: { path: string; flags: RawValues; file: RawValues }): void {
  const conflicts: string[] = [];
  for (const directive of DIRECTIVES) {
    const fromFlag = flags.get(directive.flag);
    const fromFile = file.get(directive.flag);
    if (fromFlag === undefined || fromFile === undefined || directive.mergesWithFile) continue;
    conflicts.push(`${keyOf(directive)}: (from flag: ${shown(fromFlag)}, from file: ${shown(fromFile)})`);
  }
  if (conflicts.length === 0) return;
  const list = conflicts.join(', ');
  throw new WharfError(
    'invalid-argument',
    `unable to configure the daemon with file ${path}: the following directives are specified both as a flag and in the configuration file: ${list}`,
  );
}

/** Values as Go prints them, since people search for dockerd's message. */
function shown(value: RawValue): string {
  if (Array.isArray(value))
    return `[${value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : item)).join(' ')}]`;
  if (typeof value === 'object') {
    return `map[${Object.entries(value)
      .map(([key, item]) => `${key}:${item}`)
      .join(' ')}]`;
  }
  return String(value);
}

function mergeValues(flags: RawValues, file: RawValues): RawValues {
  const merged: RawValues = new Map([...file, ...flags]);
  const runtimes = {
    ...(file.get('add-runtime') as Record<string, RuntimeChoice> | undefined),
    ...(flags.get('add-runtime') as Record<string, RuntimeChoice> | undefined),
  };
  merged.set('add-runtime', runtimes);
  return merged;
}
