import { parseArgs } from 'node:util';
import { nullLogger, WharfError } from '@wharf/kit';
import { openRegistry, type Registry } from '@wharf/registry';
import { wharfVersion } from '../version.ts';

async function withRegistry<T>(
  options: { readonly root: string | undefined; readonly graceMs?: number },
  work: (registry: Registry) => Promise<T>,
): Promise<T> {
  const { root } = options;
  if (root === undefined) throw new WharfError('invalid-argument', 'Cannot look after the registry: --root is missing');
  const registry = await openRegistry({ ...options, root, version: wharfVersion(), log: nullLogger });
  try {
    return await work(registry);
  } finally {
    await registry.close();
  }
}

/** `wharf registry gc`: collects garbage of a registry that does not run. Nobody pushes then, so nothing has to stay by default. */
export async function collectOffline(line: readonly string[], json: boolean): Promise<number> {
  const { values } = parseArgs({
    args: [...line],
    options: {
      root: { type: 'string' },
      'dry-run': { type: 'boolean' },
      grace: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const graceMs = Number(values.grace ?? 0) * 1000;
  const dryRun = values['dry-run'] === true;
  const report = await withRegistry({ root: values.root, graceMs }, (registry) => registry.collect({ dryRun }));
  if (json || values.json) console.log(JSON.stringify({ dryRun, ...report }));
  else {
    const what = dryRun ? 'Would remove' : 'Removed';
    console.log(
      `${what} ${report.blobs} blobs (${report.blobBytes} bytes), ${report.links} links, ${report.referrers} referrers,`,
    );
    console.log(`${report.uploads} uploads, ${report.repositories} empty repositories`);
  }
  return 0;
}

/** `wharf registry verify`: compares every blob with its digest; status 1 when something is damaged. */
export async function verifyOffline(line: readonly string[], json: boolean): Promise<number> {
  const { values } = parseArgs({
    args: [...line],
    options: { root: { type: 'string' }, repair: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const report = await withRegistry({ root: values.root }, (registry) =>
    registry.verify({ repair: values.repair === true }),
  );
  if (json || values.json) console.log(JSON.stringify(report));
  else {
    for (const { digest, what, repositories } of report.damaged)
      console.log(`${what}  ${digest}  ${repositories.join(' ')}`);
    console.log(`${report.blobs} blobs, ${report.bytes} bytes, ${report.damaged.length} damaged`);
  }
  return report.damaged.length === 0 ? 0 : 1;
}
