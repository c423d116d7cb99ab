import { WorkerPool } from '@wharf/oci/workers/pool';
import type { Place } from '../../files/places.ts';
import type { Attestation } from '../../result.ts';
import type { ScanParams } from './scan-job.ts';
import type { SpdxSubject } from './spdx.ts';

export const SPDX = 'https://spdx.dev/Document';

const module = import.meta.resolve('./scan-job.ts');
const pool = new WorkerPool({ name: 'scan', size: 2 });

/** Lists the packages in a place, as a statement about it. */
export async function sbomOf(
  source: Place,
  about: SpdxSubject & { readonly fileName: string; readonly signal: AbortSignal },
): Promise<Attestation> {
  const { name, created, tool, fileName, signal } = about;
  const params = { source, about: { name, created, tool } };
  const predicate = await pool.run<ScanParams, object>({ module, job: 'scanJob', params, signal });
  return { predicateType: SPDX, predicate, fileName };
}
