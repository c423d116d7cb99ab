import { WharfError } from '@wharf/kit';
import type { HealthConfig } from '@wharf/wire/docker/types';
import type { HealthCheck } from '../model/service.ts';
import { nanosecondsOf } from '../model/units.ts';
import { isBefore } from './versions.ts';

/** Absent fields are the image's own. Throws `invalid-argument` for what the daemon would not heed. */
export function healthConfig(check: HealthCheck | undefined, apiVersion: string): HealthConfig | undefined {
  if (check === undefined) return undefined;
  const { start_interval: startInterval, start_period: startPeriod } = check;
  if (startInterval !== undefined) {
    if (isBefore(apiVersion, '1.44')) {
      const message = "can't set healthcheck.start_interval as feature require Docker Engine v25 or later";
      throw new WharfError('invalid-argument', message);
    }
    if (startPeriod === undefined) {
      throw new WharfError(
        'invalid-argument',
        'healthcheck.start_interval requires healthcheck.start_period to be set',
      );
    }
  }
  const ns = (text: string | undefined): number | undefined => nanosecondsOf(text) || undefined;
  return {
    Test: check.disable === true ? ['NONE'] : check.test,
    Interval: ns(check.interval),
    Timeout: ns(check.timeout),
    StartPeriod: ns(startPeriod),
    StartInterval: ns(startInterval),
    Retries: check.retries || undefined,
  };
}
