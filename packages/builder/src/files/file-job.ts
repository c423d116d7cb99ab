import { closeSync, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { S } from '@wharf/linux/fsx';
import { type Compression, detectCompression } from '@wharf/oci/layers/compression';
import { fsPath, toBytes, toText } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import type { CopyAction, MakeDirectoryAction } from '../plan/vertex.ts';
import { Copier } from './copier.ts';
import { Linker } from './linker.ts';
import { type Owner, ownerIn } from './owner.ts';
import { inPlaces, LOWER_ROOT, type Place, sourceRoot, TARGET_ROOT, type TargetPlace, viewsOf } from './places.ts';
import { type Selection, select } from './select.ts';
import { TargetTree } from './target-tree.ts';
import { fileSystem, type TreeView } from './tree-view.ts';

/** A copy whose source is one of the job's places. */
export type CopyOrder = Omit<CopyAction, 'source'> & { readonly source: number };

export interface FileJobParams {
  readonly target: TargetPlace;
  readonly sources: readonly Place[];
  readonly actions: readonly (CopyOrder | MakeDirectoryAction)[];
  /** Files that an ADD takes as they are, though they are compressed: what is in them is no archive. */
  readonly plain?: readonly PlainFile[] | undefined;
}

/** A file of one of the job's places, below its root. */
export interface PlainFile {
  readonly source: number;
  readonly path: string;
}

export interface FindJobParams {
  readonly sources: readonly Place[];
  readonly actions: readonly CopyOrder[];
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

export interface FileJobOutcome {
  readonly archives: readonly FoundArchive[];
  /** Files of the layer have further names elsewhere. */
  readonly hasLinked: boolean;
}

/** Carries out the actions of a COPY, ADD or WORKDIR, except for archives that it comes across. */
export function fileJob({ target, sources, actions, plain }: FileJobParams, io: JobIo): Promise<FileJobOutcome> {
  const views = viewsOf(sources);
  return inPlaces(sources, target, async () => {
    const tree = new TargetTree(TARGET_ROOT, target.lower.length > 0 ? LOWER_ROOT : undefined);
    const linker = new Linker(target, sources);
    const archives: FoundArchive[] = [];
    for (const action of actions) {
      io.signal.throwIfAborted();
      if (action.kind === 'mkdir') makeDirectory(tree, action);
      else archives.push(...copy(tree, views[action.source] ?? fileSystem, linker, { ...action, plain }));
    }
    return { archives, hasLinked: linker.hasLinked };
  });
}

/** The compressed files that ADDs select and that may be archives. Changes nothing. */
export function findJob({ sources, actions }: FindJobParams): Promise<readonly PlainFile[]> {
  const views = viewsOf(sources);
  return inPlaces(sources, undefined, () => {
    const found = actions.flatMap((action) => {
      const root = sourceRoot(action.source);
      return select(views[action.source] ?? fileSystem, root, action).flatMap((selection) => {
        const archive = archiveOf(selection);
        const isCompressed = archive?.compression !== undefined && archive.compression !== 'none';
        return isCompressed ? [{ source: action.source, path: toText(archive.path.slice(root.length)) }] : [];
      });
    });
    return Promise.resolve(found);
  });
}

function makeDirectory(target: TargetTree, { path, mode, owner }: MakeDirectoryAction): void {
  const options = { source: fileSystem, target, destination: '/', owner: ownerIn(target, owner), mode: '' };
  new Copier(options).makeDirectory(toBytes(path), mode);
}

function copy(
  target: TargetTree,
  source: TreeView,
  linker: Linker,
  action: CopyOrder & Pick<FileJobParams, 'plain'>,
): readonly FoundArchive[] {
  const root = sourceRoot(action.source);
  const owner = ownerIn(target, action.owner);
  const destination = toBytes(action.destination);
  const link = linker.linkFrom(action.source);
  const copier = new Copier({ source, target, destination, owner, mode: action.mode, link });
  const archives: FoundArchive[] = [];
  for (const selection of select(source, root, action)) {
    const archive = action.unpack ? archiveOf(selection) : undefined;
    const path = toText(archive?.path.slice(root.length) ?? '');
    const isPlain = action.plain?.some((each) => each.source === action.source && each.path === path) ?? false;
    if (archive === undefined || isPlain) copier.copy(selection);
    else {
      const directory = copier.makeDirectory(destination).slice(TARGET_ROOT.length);
      archives.push({ source: action.source, path, destination: directory, owner });
    }
  }
  copier.finish();
  return archives;
}

/** A selected file that is a tar archive, or compressed and may be one, by its first bytes. */
function archiveOf({
  isDirectory,
  entries,
}: Selection): { readonly path: string; readonly compression: Compression } | undefined {
  const [entry] = entries;
  if (isDirectory || entry === undefined || (entry.status.mode & S.IFMT) !== S.IFREG) return undefined;
  const head = Buffer.alloc(MAGIC_BYTES);
  const fd = openSync(fsPath(entry.path), 'r');
  try {
    const length = readSync(fd, head, 0, MAGIC_BYTES, 0);
    const bytes = head.subarray(0, length);
    const isTar = bytes.toString('latin1', 257, 262) === 'ustar';
    const compression = detectCompression(bytes);
    return isTar || compression !== 'none' ? { path: posix.normalize(entry.path), compression } : undefined;
  } finally {
    closeSync(fd);
  }
}
