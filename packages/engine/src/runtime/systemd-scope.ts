import { WharfError } from '@wharf/kit';
import { runTool } from '@wharf/linux/spawn';
import { RUNTIME_CALL_DEADLINE_MS } from './limits.ts';
import type { SpecResources } from './oci-spec/spec.ts';

const DEFAULT_PERIOD_US = 100_000;
const US_PER_SECOND = 1_000_000;

/**
 * Limits as properties of a systemd scope (systemd.resource-control(5)) on cgroup v2, by their names on the bus; `undefined` is no limit.
 * Where systemd makes the groups it also writes them, again and again: limits that it does not know of are gone with the next
 * `systemctl daemon-reload`.
 */
export function scopeProperties(resources: SpecResources): Readonly<Record<string, number | undefined>> {
  const { memory = {}, cpu = {}, pids } = resources;
  const limit = positive(memory['limit']);
  const swap = positive(memory['swap']);
  const quota = positive(cpu['quota']);
  const period = positive(cpu['period']) ?? DEFAULT_PERIOD_US;
  return {
    MemoryMax: limit,
    MemorySwapMax: limit === undefined || swap === undefined ? undefined : Math.max(swap - limit, 0),
    MemoryLow: positive(memory['reservation']) ?? 0,
    TasksMax: positive(pids?.limit),
    CPUQuotaPerSecUSec: quota === undefined ? undefined : Math.round((quota * US_PER_SECOND) / period),
  };
}

/** The annotations by which crun gives them to systemd when it makes the scope. */
export function scopeAnnotations(resources: SpecResources): Readonly<Record<string, string>> {
  const set = Object.entries(scopeProperties(resources)).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.map(([name, value]) => [`org.systemd.property.${name}`, `uint64 ${value}`]));
}

/** Tells systemd of limits that have changed. Throws `internal` in systemctl's words. */
export async function setScopeProperties(scope: string, resources: SpecResources): Promise<void> {
  const settings = Object.entries(scopeProperties(resources)).map(([name, value]) => setting(name, value));
  const argv = ['systemctl', 'set-property', '--runtime', scope, ...settings];
  const { code, stderr } = await runTool({ path: '/usr/bin/systemctl', argv, timeoutMs: RUNTIME_CALL_DEADLINE_MS });
  if (code !== 0) throw new WharfError('internal', `systemctl set-property failed: ${stderr.toString().trim()}`);
}

/** As unit files have it, where the quota is a percentage and its absence the empty string. */
function setting(name: string, value: number | undefined): string {
  if (name !== 'CPUQuotaPerSecUSec') return `${name}=${value ?? 'infinity'}`;
  return `CPUQuota=${value === undefined ? '' : `${(value * 100) / US_PER_SECOND}%`}`;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
