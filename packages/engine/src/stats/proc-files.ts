import { readFileSync } from 'node:fs';
import type { ContainerNetworkStats } from '@wharf/wire/docker/types';

export interface SystemCpu {
  /** Time of all CPUs since boot, idle included, in ns. */
  readonly totalNs: number;
  readonly online: number;
}

const nsPerTick = 10_000_000;

/** Parses /proc/stat (proc_stat(5)); ticks are 1/100 s on every Linux that Node runs on. */
export function parseSystemCpu(text: string): SystemCpu {
  let totalNs = 0;
  let online = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith('cpu')) break;
    const [name, ...ticks] = line.split(/\s+/);
    if (name !== 'cpu') online += 1;
    // user, nice, system, idle, iowait, irq, softirq: the sum that Docker's clients divide by.
    else totalNs = ticks.slice(0, 7).reduce((sum, tick) => sum + Number(tick), 0) * nsPerTick;
  }
  return { totalNs, online };
}

export function readSystemCpu(): SystemCpu {
  return parseSystemCpu(readFileSync('/proc/stat', 'utf8'));
}

/** Parses /proc/PID/net/dev (proc_pid_net(5)); the loopback interface is left out. */
export function parseNetDev(text: string): Readonly<Record<string, ContainerNetworkStats>> {
  const networks: Record<string, ContainerNetworkStats> = {};
  for (const line of text.split('\n').slice(2)) {
    const colon = line.lastIndexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).trim();
    if (name === 'lo') continue;
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const at = (index: number) => numbers[index] ?? 0;
    networks[name] = {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    };
  }
  return networks;
}

/** The interfaces of a process's network namespace; none when it is gone. */
export function readNetDev(pid: number): Readonly<Record<string, ContainerNetworkStats>> {
  try {
    return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  } catch {
    return {};
  }
}
