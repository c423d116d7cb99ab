import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const CPUS = '/sys/devices/system/cpu';

/** Counters of each processor's heat, which tell what others compute. */
function thermalThrottles(): readonly string[] {
  return readdirSync(CPUS)
    .filter((name) => /^cpu\d+$/.test(name) && readdirSync(join(CPUS, name)).includes('thermal_throttle'))
    .map((name) => join(CPUS, name, 'thermal_throttle'));
}

/** Paths of proc and sysfs that tell or do too much: hidden unless `systempaths=unconfined`. Docker's lists. */
export const DEFAULT_MASKED_PATHS: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
  ...thermalThrottles(),
];

export const DEFAULT_READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
