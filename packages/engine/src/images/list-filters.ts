import {
  canonicalName,
  type Filters,
  familiarName,
  filterBoolean,
  filterValues,
  formatCanonical,
  formatFamiliar,
  matchesLabel,
  parseRfc3339,
  validateFilters,
  withDefaultTag,
} from '@wharf/kit';
import { isPseudoImage } from './documents.ts';
import { globMatches } from './glob.ts';
import { type ImageName, isDangling, referenceOf } from './names.ts';
import { bestManifest, findImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';
import { parseTimestamp } from './timestamp.ts';

export type ImageTest = (image: ImageName) => boolean | Promise<boolean>;

/** Throws `invalid-argument` for keys or values that the endpoint does not know, `not-found` for images it lacks. */
export async function imageFilter(room: ImageRoom, filters: Filters, allowed: readonly string[]): Promise<ImageTest> {
  validateFilters(filters, allowed);
  const tests: ImageTest[] = [];
  for (const value of filterValues(filters, 'before'))
    tests.push(await createdTest(room, value, (own, other) => own < other));
  for (const value of filterValues(filters, 'since'))
    tests.push(await createdTest(room, value, (own, other) => own > other));
  for (const value of filterValues(filters, 'until')) {
    const until = parseTimestamp(value, room.clock.nowNs(), 'until');
    tests.push((image) => (parseRfc3339(image.createdAt) ?? 0n) < until);
  }
  const labels = labelChecks(filters);
  if (labels.length > 0) tests.push((image) => labelsMatch(room, image, labels));
  if (filters.has('dangling')) {
    const wanted = filterBoolean(filters, 'dangling', false);
    tests.push((image) => isDangling(image) === wanted);
  }
  const patterns = filterValues(filters, 'reference');
  if (patterns.length > 0) tests.push((image) => referenceMatches(image, patterns));
  return async (image) => {
    for (const test of tests) if (!(await test(image))) return false;
    return true;
  };
}

async function createdNs(room: ImageRoom, image: ImageName): Promise<bigint | undefined> {
  try {
    const { manifest } = await bestManifest(room, image);
    const config = manifest === undefined ? undefined : await room.documents.configIfPresent(manifest.config.digest);
    return config?.created === undefined ? undefined : parseRfc3339(config.created);
  } catch {
    return undefined;
  }
}

async function createdTest(
  room: ImageRoom,
  value: string,
  compare: (own: bigint, other: bigint) => boolean,
): Promise<ImageTest> {
  const other = await createdNs(room, findImage(room, value));
  if (other === undefined) return () => true;
  return async (image) => {
    const own = await createdNs(room, image);
    return own !== undefined && compare(own, other);
  };
}

interface LabelCheck {
  readonly wanted: string;
  readonly negate: boolean;
}

function labelChecks(filters: Filters): LabelCheck[] {
  const checks: LabelCheck[] = [];
  for (const key of ['label', 'label!']) {
    for (const value of filterValues(filters, key)) {
      const inner = /^([^=]*)!(=.*)?$/s.exec(value);
      const wanted = inner ? `${inner[1]}${inner[2] ?? ''}` : value;
      checks.push({ wanted, negate: (key === 'label!') !== (inner !== null) });
    }
  }
  return checks;
}

async function labelsMatch(room: ImageRoom, image: ImageName, checks: readonly LabelCheck[]): Promise<boolean> {
  for (const node of await room.documents.manifests(image.target)) {
    if (node.manifest === undefined || isPseudoImage(node)) continue;
    const config = await room.documents.configIfPresent(node.manifest.config.digest);
    if (config === undefined) continue;
    const labels = config.config?.Labels ?? undefined;
    if (checks.every((check) => matchesLabel(check.wanted, labels) !== check.negate)) return true;
  }
  return false;
}

function referenceMatches(image: ImageName, patterns: readonly string[]): boolean {
  const reference = referenceOf(image);
  if (reference === undefined) return false;
  const texts = [
    formatFamiliar(reference),
    familiarName(reference),
    formatCanonical(withDefaultTag(reference)),
    canonicalName(reference),
  ];
  return patterns.some((pattern) => texts.some((text) => globMatches(pattern, text)));
}
