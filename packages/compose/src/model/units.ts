import { parseGoDuration } from '@wharf/kit/duration';

/** Bytes of a size in the model (`"10485760"`); 0 when absent. -1 means unlimited where Compose says so. */
export function bytesOf(size: string | undefined): number {
  return size === undefined ? 0 : Number(size);
}

/** Nanoseconds of a duration in the model (`"1m30s"`); undefined when absent. */
export function nanosecondsOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : Number(parseGoDuration(duration));
}
