import { join } from 'node:path';
import { type Clock, type Logger, systemClock } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import { createContainerLog } from './container-log.ts';
import { LogKeeper } from './log-keeper.ts';
import type { ContainerLog, LogService } from './log-service.ts';
import { LogThread } from './log-thread.ts';
import { isLogDriver, LOG_DRIVERS, type LogOptions, validateLogOptions } from './options.ts';

export interface LogServiceOptions {
  readonly dataRoot: string;
  /** The daemon's own `log-driver` and `log-opts`, used where a container names none. */
  readonly defaults: { readonly driver: string; readonly options: LogOptions };
  readonly log: Logger;
  readonly clock?: Clock;
}

/** The logs of all containers. Throws `invalid-argument` when the defaults are wrong. */
export function createLogService(options: LogServiceOptions): LogService {
  const { defaults, dataRoot, log, clock = systemClock } = options;
  validateLogOptions(defaults.driver, defaults.options);
  const keeper = new LogKeeper({ dataRoot, log });
  const thread = new LogThread();
  const logs = new Map<string, ContainerLog>();

  /** Options of the daemon count for containers with the daemon's driver; those of the cache for all. */
  const merged = (driver: string, own: LogOptions): LogOptions => {
    const inherited = Object.entries(defaults.options).filter(
      ([name]) => driver === defaults.driver || name.startsWith('cache-'),
    );
    return { ...Object.fromEntries(inherited), ...own };
  };

  return {
    drivers: LOG_DRIVERS,
    validate(driver, own) {
      const name = driver || defaults.driver;
      validateLogOptions(name, merged(name, own));
    },
    open(record: ContainerRecord) {
      const known = logs.get(record.id);
      if (known) return known;
      const config = record.hostConfig.LogConfig;
      const name = config?.Type || defaults.driver;
      const opened = createContainerLog({
        record,
        driver: isLogDriver(name) ? name : 'json-file',
        options: merged(name, config?.Config ?? {}),
        directory: join(dataRoot, 'containers', record.id),
        clock,
        keeper,
        thread,
        log: log.child({ container: record.id }),
      });
      const remove = opened.remove.bind(opened);
      opened.remove = async () => {
        await remove();
        logs.delete(record.id);
      };
      logs.set(record.id, opened);
      return opened;
    },
  };
}
