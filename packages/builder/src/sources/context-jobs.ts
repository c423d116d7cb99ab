import { linkSync, mkdirSync } from 'node:fs';
import { lutimesNs, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath, toBytes } from '@wharf/oci/tar/bytes';
import { readIndex, writeIndex } from './context-index.ts';
import type { ContextPlace } from './kept-contexts.ts';

export interface ForkParams {
  readonly from: ContextPlace;
  readonly to: ContextPlace;
}

/** Makes an empty tree hold what another does: directories are made, everything else is linked. */
export async function forkJob({ from, to }: ForkParams): Promise<void> {
  const index = readIndex(from.index);
  if (index === undefined) return;
  const directories: { readonly path: string | Buffer; readonly mtimeNs: bigint }[] = [];
  // The order of an index is not that of a walk: a directory that came late stands behind what is in it.
  const names = [...index.keys()].sort();
  const at = (place: ContextPlace, name: ByteString): string | Buffer => fsPath(`${toBytes(place.tree)}/${name}`);
  for (const name of names) {
    const entry = index.get(name);
    if (entry === undefined) continue;
    const path = at(to, name);
    if ((entry.mode & S.IFMT) === S.IFDIR) {
      mkdirSync(path, { mode: entry.mode & 0o7777 });
      directories.push({ path, mtimeNs: entry.mtimeNs });
    } else linkSync(at(from, name), path);
  }
  for (const { path, mtimeNs } of directories.reverse()) lutimesNs(path, { atimeNs: mtimeNs, mtimeNs });
  writeIndex(to.index, to.bootId, index);
}
