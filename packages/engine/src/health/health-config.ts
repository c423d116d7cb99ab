import { formatGoDuration, WharfError } from '@wharf/kit';
import type { ContainerConfig, HealthConfig } from '@wharf/wire/docker/types';

/** A health check with every default filled in. */
export interface HealthCheck {
  readonly command: readonly string[];
  readonly intervalNs: bigint;
  readonly timeoutNs: bigint;
  readonly startPeriodNs: bigint;
  readonly startIntervalNs: bigint;
  readonly retries: number;
}

const second = 1_000_000_000n;
const defaultShell: readonly string[] = ['/bin/sh', '-c'];

/** The container's health check, `undefined` when it has none (no test, or `NONE`). */
export function healthCheckOf(config: Pick<ContainerConfig, 'Healthcheck' | 'Shell'>): HealthCheck | undefined {
  const health = config.Healthcheck ?? undefined;
  const [kind, ...words] = health?.Test ?? [];
  if (health === undefined || (kind !== 'CMD' && kind !== 'CMD-SHELL') || words.length === 0) return undefined;
  const shell = (config.Shell?.length ?? 0) > 0 ? (config.Shell ?? []) : defaultShell;
  const retries = health.Retries ?? 0;
  return {
    command: kind === 'CMD' ? words : [...shell, ...words],
    intervalNs: durationOf(health.Interval, 30n * second),
    timeoutNs: durationOf(health.Timeout, 30n * second),
    startPeriodNs: durationOf(health.StartPeriod, 0n),
    startIntervalNs: durationOf(health.StartInterval, 5n * second),
    retries: retries > 0 ? retries : 3,
  };
}

function durationOf(configured: number | bigint | undefined, whenZero: bigint): bigint {
  const ns = BigInt(configured ?? 0);
  return ns === 0n ? whenZero : ns;
}

/** What a container's check becomes with its image's: fields the container leaves at zero come from the image. */
export function mergeHealthcheck(
  own: HealthConfig | null | undefined,
  image: HealthConfig | null | undefined,
): HealthConfig | undefined {
  if (!image) return own ?? undefined;
  if (!own) return image;
  const pick = <K extends keyof HealthConfig>(key: K): HealthConfig[K] => own[key] || image[key];
  return {
    ...own,
    Test: (own.Test?.length ?? 0) > 0 ? own.Test : image.Test,
    Interval: pick('Interval'),
    Timeout: pick('Timeout'),
    StartPeriod: pick('StartPeriod'),
    StartInterval: pick('StartInterval'),
    Retries: pick('Retries'),
  };
}

const shortestNs = 1_000_000;

/** Throws `invalid-argument` in Docker's words for a check that cannot be. */
export function checkHealthcheck(health: HealthConfig | null | undefined): void {
  if (!health) return;
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = health[field] ?? 0;
    if (value !== 0 && value < shortestNs) {
      const least = formatGoDuration(BigInt(shortestNs));
      throw new WharfError('invalid-argument', `${field} in Healthcheck cannot be less than ${least}`);
    }
  }
  if ((health.Retries ?? 0) < 0) throw new WharfError('invalid-argument', 'Retries in Healthcheck cannot be negative');
}
