import { totalmem } from 'node:os';
import type { Clock } from '@wharf/kit';
import { formatRfc3339Nano } from '@wharf/kit';
import { type CgroupLayout, CgroupReader, detectLayout } from '@wharf/linux/cgroup';
import type { ContainerRecord } from '../containers/container.ts';
import { readNetDev, readSystemCpu } from './proc-files.ts';
import type { Sample } from './stats-json.ts';

/**
 * Reads samples of running containers, each with some ten small files of /proc and the cgroup tree. Where a container's
 * cgroup is is found at its first sample: its init may later move itself further down.
 */
export class SampleReader {
  readonly #clock: Clock;
  readonly #readers = new Map<string, { readonly pid: number; readonly reader: CgroupReader }>();
  #layout: CgroupLayout | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined` when the container does not run (any more). */
  read(record: ContainerRecord): Sample | undefined {
    const { status, pid } = record.state;
    if ((status !== 'running' && status !== 'paused') || pid === 0) {
      this.forget(record.id);
      return undefined;
    }
    const reader = this.#readerOf(record.id, pid);
    if (reader === undefined || !reader.exists()) return undefined;
    const hostNetwork = record.hostConfig.NetworkMode === 'host' || record.config.NetworkDisabled === true;
    return {
      readAt: formatRfc3339Nano(this.#clock.nowNs()),
      cgroup: reader.read(),
      system: readSystemCpu(),
      networks: hostNetwork ? undefined : readNetDev(pid),
      machineMemoryBytes: totalmem(),
    };
  }

  forget(id: string): void {
    this.#readers.delete(id);
  }

  #readerOf(id: string, pid: number): CgroupReader | undefined {
    const known = this.#readers.get(id);
    if (known?.pid === pid) return known.reader;
    try {
      this.#layout ??= detectLayout();
      const reader = CgroupReader.forPid(pid, this.#layout);
      this.#readers.set(id, { pid, reader });
      return reader;
    } catch {
      // The process ended between its record and this line.
      return undefined;
    }
  }
}
