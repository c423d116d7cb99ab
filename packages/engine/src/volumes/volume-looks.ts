import { WharfError } from '@wharf/kit';
import { noSuchVolume } from '@wharf/wire/docker/messages';
import type { Volume } from '@wharf/wire/docker/types';
import type { Drivers } from './drivers.ts';
import { inWords } from './in-words.ts';
import type { VolumeRecord } from './volume.ts';
import type { VolumeBooks } from './volume-books.ts';
import { foundVolume } from './volume-view.ts';

/** A volume as its plugin has it; without a record, of whichever plugin knows it. Throws `not-found`. */
export async function lookAt(drivers: Drivers, name: string, record: VolumeRecord | undefined): Promise<Volume> {
  if (record === undefined) {
    const found = await drivers.findInPlugins(name);
    if (found === undefined) throw new WharfError('not-found', noSuchVolume(name));
    return foundVolume(found, undefined);
  }
  const driver = await inWords('get', name, () => drivers.get(record.driver));
  const found = await inWords('get', name, () => driver.get(name));
  if (found === undefined) throw new WharfError('not-found', noSuchVolume(name));
  return foundVolume({ ...found, driver: record.driver, scope: await driver.scope() }, record);
}

/** The volumes of our books with those that plugins have: a plugin's word on its volumes counts more than ours. */
export async function withPlugins(
  known: readonly Volume[],
  parts: {
    readonly books: VolumeBooks;
    readonly drivers: Drivers;
    readonly matches: (record: VolumeRecord, held: boolean) => boolean;
  },
): Promise<{ readonly volumes: readonly Volume[]; readonly warnings: readonly string[] }> {
  const { books, drivers, matches } = parts;
  const { volumes: found, warnings } = await drivers.listPlugins();
  const byName = new Map(known.map((volume) => [volume.Name, volume]));
  for (const volume of found) {
    const record = books.volumes.get(volume.name);
    if (record !== undefined && record.driver !== volume.driver) continue;
    const bare = { name: volume.name, driver: volume.driver, createdAt: '', labels: null, options: null };
    if (!matches(record ?? bare, books.holders(volume.name).length > 0)) continue;
    byName.set(volume.name, foundVolume(volume, record));
  }
  return { volumes: [...byName.values()], warnings };
}
