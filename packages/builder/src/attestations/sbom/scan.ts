import { WorkerPool } from '@wharf/oci/workers/pool';
import type { Place } from '../../files/places.ts';
import type { Attestation } from '../../result.ts';
import type { Scan, ScanParams } from './scan-job.ts';
import { type SpdxSubject, spdxDocument } from './spdx.ts';

export const SPDX = 'https://spdx.dev/Document';

const module = import.meta.resolve('./scan-job.ts');
const pool = new WorkerPool({ name: 'scan', size: 2 });

/** Lists the packages in a place, as a statement about it. */
export async function sbomOf(
  source: Place,
  about: SpdxSubject & { readonly fileName: string; readonly signal: AbortSignal },
): Promise<Attestation> {
  const { fileName, signal } = about;
  const scan = await pool.run<ScanParams, Scan>({ module, job: 'scanJob', params: { source }, signal });
  return { predicateType: SPDX, predicate: spdxDocument(scan, about), fileName };
}
