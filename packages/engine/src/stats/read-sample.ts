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
  readonly #missing = new Set<string>();
  readonly #onMissing: (id: string) => void;
  #layout: CgroupLayout | undefined;

  /** `onMissing` is told once of a running container whose control group is gone. */
  constructor(clock: Clock, onMissing: (id: string) => void = () => {}) {
    this.#clock = clock;
    this.#onMissing = onMissing;
  }

  /** `undefined` when the container does not run (any more). */
  read(record: ContainerRecord): Sample | undefined {
    const { status, pid } = record.state;
    if ((status !== 'running' && status !== 'paused') || pid === 0) {
      this.forget(record.id);
      return undefined;
    }
    const reader = this.#readerOf(record.id, pid);
    // A process whose group was removed under it is in the root, whose counters are not its own.
    if (reader === undefined || reader.isRoot || !reader.exists()) {
      this.#miss(record.id);
      return undefined;
    }
    this.#missing.delete(record.id);
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
    this.#missing.delete(id);
  }

  #miss(id: string): void {
    // Where it is now is looked up again next time.
    this.#readers.delete(id);
    if (this.#missing.has(id)) return;
    this.#missing.add(id);
    this.#onMissing(id);
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
