import { closeSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { S } from '@wharf/linux/fsx';
import { detectCompression } from '@wharf/oci/layers/compression';
import type { Mount } from '@wharf/oci/snapshots/snapshotter';
import { fsPath, toBytes, toText } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import type { CopyAction, MakeDirectoryAction } from '../plan/vertex.ts';
import { Copier } from './copier.ts';
import { type Owner, ownerIn } from './owner.ts';
import { inPlaces, type Place, sourceRoot, TARGET_ROOT } from './places.ts';
import { type Selection, select } from './select.ts';

/** A copy whose source is one of the job's places. */
export type CopyOrder = Omit<CopyAction, 'source'> & { readonly source: number };

export interface FileJobParams {
  readonly target: readonly Mount[];
  readonly sources: readonly Place[];
  readonly actions: readonly (CopyOrder | MakeDirectoryAction)[];
}

/** An archive that an ADD is to unpack; this job leaves it to one that sees the target alone. */
export interface FoundArchive {
  readonly source: number;
  /** Below the source's root. */
  readonly path: string;
  /** A directory of the target, made already, symlinks followed. */
  readonly destination: string;
  readonly owner: Owner | undefined;
}

const MAGIC_BYTES = 512;

/** Carries out the actions of a COPY, ADD or WORKDIR. Returns the archives it came across. */
export function fileJob({ target, sources, actions }: FileJobParams, io: JobIo): Promise<readonly FoundArchive[]> {
  return inPlaces(sources, target, async () => {
    const archives: FoundArchive[] = [];
    for (const action of actions) {
      io.signal.throwIfAborted();
      if (action.kind === 'mkdir') makeDirectory(action);
      else archives.push(...copy(action));
    }
    return archives;
  });
}

function makeDirectory({ path, mode, owner }: MakeDirectoryAction): void {
  const options = { root: TARGET_ROOT, destination: '/', owner: ownerIn(TARGET_ROOT, owner), mode: '' };
  new Copier(options).makeDirectory(toBytes(path), mode);
}

function copy(action: CopyOrder): readonly FoundArchive[] {
  const root = sourceRoot(action.source);
  const owner = ownerIn(TARGET_ROOT, action.owner);
  const destination = toBytes(action.destination);
  const copier = new Copier({ root: TARGET_ROOT, destination, owner, mode: action.mode });
  const archives: FoundArchive[] = [];
  for (const selection of select(root, action)) {
    const archive = action.unpack ? archiveOf(selection) : undefined;
    if (archive === undefined) copier.copy(selection);
    else {
      const directory = copier.makeDirectory(destination).slice(TARGET_ROOT.length);
      archives.push({ source: action.source, path: toText(archive.slice(root.length)), destination: directory, owner });
    }
  }
  copier.finish();
  return archives;
}

/** The path of a selected file that is a tar archive, compressed or not, by its first bytes. */
function archiveOf({ isDirectory, entries }: Selection): string | undefined {
  const [entry] = entries;
  if (isDirectory || entry === undefined || (entry.status.mode & S.IFMT) !== S.IFREG) return undefined;
  const head = Buffer.alloc(MAGIC_BYTES);
  const fd = openSync(fsPath(entry.path), 'r');
  try {
    const length = readSync(fd, head, 0, MAGIC_BYTES, 0);
    const bytes = head.subarray(0, length);
    const isTar = bytes.toString('latin1', 257, 262) === 'ustar';
    return isTar || detectCompression(bytes) !== 'none' ? posix.normalize(entry.path) : undefined;
  } finally {
    closeSync(fd);
  }
}
