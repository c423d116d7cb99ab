import { formatBinaryBytes, formatBytes } from '@wharf/kit/bytes';
import { formatFixed } from '@wharf/kit/go-float';

const DAY_HOURS = 24;

/** A size in steps of 1000 as docker's clients write it: `3.14MB`; lists of images have three digits, others four. */
export function humanSize(bytes: number, digits = 4): string {
  return formatBytes(bytes, digits);
}

/** A size in steps of 1024: `1.205MiB`. */
export function binarySize(bytes: number): string {
  return formatBinaryBytes(bytes);
}

/** A duration as docker's lists say it: `About a minute`, `4 hours`, `2 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(ms / 60_000);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 2 * DAY_HOURS) return `${hours} hours`;
  if (hours < 14 * DAY_HOURS) return `${Math.trunc(hours / DAY_HOURS)} days`;
  if (hours < 60 * DAY_HOURS) return `${Math.trunc(Math.trunc(hours / DAY_HOURS) / 7)} weeks`;
  if (hours < 730 * DAY_HOURS) return `${Math.trunc(Math.trunc(hours / DAY_HOURS) / 30)} months`;
  return `${Math.trunc(Math.trunc(Math.trunc(ms / 3_600_000) / DAY_HOURS) / 365)} years`;
}

/** How long ago a Unix time in seconds is: `4 hours ago`. */
export function since(unixSeconds: number, nowMs = Date.now()): string {
  return `${humanDuration(nowMs - unixSeconds * 1000)} ago`;
}

/** A share as docker prints it: `12.34%`. */
export function percent(value: number): string {
  return `${formatFixed(value, 2)}%`;
}
