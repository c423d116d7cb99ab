import { WharfError } from '@wharf/kit';
import { LOG_READING_NOT_SUPPORTED } from '@wharf/wire/docker/messages';
import { JsonFileLog } from './json-file-log.ts';
import type { ContainerLog, LogEntry, MonitorLog } from './log-service.ts';
import type { ContainerLogOptions } from './readable-log.ts';
import { SpoolLog } from './spool-log.ts';

/** Opens the log of a container with the parts its driver needs. */
export function createContainerLog(options: ContainerLogOptions): ContainerLog {
  const { driver } = options;
  if (driver === 'none') return new NoLog();
  return driver === 'json-file' ? new JsonFileLog(options) : new SpoolLog(options);
}

/** The `none` driver. */
class NoLog implements ContainerLog {
  readonly path = '';
  async prepare(): Promise<MonitorLog> {
    return { driver: 'none' };
  }
  attachMonitor(): void {}
  notify(): void {}
  async finish(): Promise<void> {}
  checkReadable(): void {
    throw new WharfError('not-implemented', LOG_READING_NOT_SUPPORTED);
  }
  read(): AsyncIterable<LogEntry> {
    throw new WharfError('not-implemented', LOG_READING_NOT_SUPPORTED);
  }
  async streamTo(): Promise<void> {
    this.checkReadable();
  }
  async attachTo(): Promise<void> {
    this.checkReadable();
  }
  async sizeBytes(): Promise<number> {
    return 0;
  }
  async remove(): Promise<void> {}
}
