import { WharfError } from '@wharf/kit';

/** When to make room, and down to where. */
export interface CollectionConfig {
  /** A share of the filesystem (0.85), or bytes in use on it. */
  readonly high: WaterMark;
  readonly low: WaterMark;
  /** Stopped containers may go too. */
  readonly containers: boolean;
}

export type WaterMark = { readonly share: number } | { readonly bytes: number };

/** Something that could go. */
export interface Candidate {
  readonly kind: 'image' | 'container';
  readonly id: string;
  /** What the user calls it. */
  readonly names: readonly string[];
  /** What its removal gives back at least. */
  readonly bytes: number;
  readonly lastUsedMs: number;
  /** Why it has to stay; it may go when absent. */
  readonly keep?: string | undefined;
}

export interface PlannedRemoval {
  readonly candidate: Candidate;
  readonly reason: string;
}

export interface CollectionPlan {
  readonly usedBytes: number;
  readonly highBytes: number;
  readonly lowBytes: number;
  /** In the order they go. */
  readonly remove: readonly PlannedRemoval[];
  readonly keep: readonly PlannedRemoval[];
}

/**
 * Chooses what goes: nothing below the high mark; above it stopped containers (where they may) and then unused images, the
 * least recently used first and those without a name before all, until the low mark would be reached. Pure.
 */
export function planCollection(
  disk: { readonly totalBytes: number; readonly usedBytes: number },
  candidates: readonly Candidate[],
  config: CollectionConfig,
): CollectionPlan {
  const highBytes = toBytes(config.high, disk.totalBytes);
  const lowBytes = toBytes(config.low, disk.totalBytes);
  const { usedBytes } = disk;
  const plan = { usedBytes, highBytes, lowBytes };
  const remove: PlannedRemoval[] = [];
  const keep: PlannedRemoval[] = [];
  let expected = usedBytes;
  for (const candidate of [...candidates].sort(inOrder)) {
    if (candidate.keep !== undefined) keep.push({ candidate, reason: candidate.keep });
    else if (usedBytes < highBytes) keep.push({ candidate, reason: 'the disk is below the high mark' });
    else if (expected <= lowBytes) keep.push({ candidate, reason: 'the low mark is reached without it' });
    else {
      remove.push({ candidate, reason: reasonFor(candidate) });
      expected -= candidate.bytes;
    }
  }
  return { ...plan, remove, keep };
}

function inOrder(a: Candidate, b: Candidate): number {
  // Equals stay in the order given.
  return rank(a) - rank(b) || a.lastUsedMs - b.lastUsedMs;
}

function rank({ kind, names }: Candidate): number {
  if (kind === 'container') return 0;
  return names.length === 0 ? 1 : 2;
}

function reasonFor({ kind, names, lastUsedMs }: Candidate): string {
  const since = `since ${new Date(lastUsedMs).toISOString()}`;
  if (kind === 'container') return `stopped ${since}`;
  return names.length === 0 ? `without a name or a container ${since}` : `not used by any container ${since}`;
}

function toBytes(mark: WaterMark, totalBytes: number): number {
  return 'bytes' in mark ? mark.bytes : Math.floor(totalBytes * mark.share);
}

/**
 * Reads the setting `gc` (`{"high": "85%", "low": "70%", "containers": "true"}`; sizes as `100GB` do as well). Without a
 * high mark collection is off: undefined. Throws `invalid-argument`.
 */
export function parseCollectionConfig(settings: Readonly<Record<string, string>>): CollectionConfig | undefined {
  const { high, low, containers, ...others } = settings;
  const bad = (text: string) => new WharfError('invalid-argument', `gc: ${text}`);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw bad(`unknown setting "${unknown}"; there are high, low and containers`);
  if (containers !== undefined && containers !== 'true' && containers !== 'false') {
    throw bad(`containers must be "true" or "false", not "${containers}"`);
  }
  if (high === undefined) {
    if (low !== undefined || containers !== undefined) throw bad('there is no high mark');
    return undefined;
  }
  const marks = { high: parseMark(high, bad), low: parseMark(low ?? high, bad) };
  if (toBytes(marks.low, 1e15) > toBytes(marks.high, 1e15)) throw bad('the low mark is above the high one');
  return { ...marks, containers: containers === 'true' };
}

function parseMark(text: string, bad: (text: string) => WharfError): WaterMark {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  if (percent !== null) {
    const share = Number(percent[1]) / 100;
    if (share > 0 && share <= 1) return { share };
  }
  const size = /^(\d+(?:\.\d+)?) ?([kmgtp])i?b?$/i.exec(text);
  if (size === null) throw bad(`"${text}" is neither a share like 85% nor a size like 100GB`);
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((size[2] ?? '').toLowerCase());
  return { bytes: Math.floor(Number(size[1]) * 1024 ** power) };
}
