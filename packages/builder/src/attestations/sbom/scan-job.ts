import { closeSync, openSync, readSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import { O } from '@wharf/linux/constants';
import { S } from '@wharf/linux/fsx';
import { statusOf, walk } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { inPlaces, type Place, sourceRoot } from '../../files/places.ts';
import { isUnread, readerOf } from './catalogue.ts';
import { MAX_COPYRIGHT_BYTES, MAX_DATABASE_BYTES, MAX_PACKAGES, MAX_SCANNED_FILES } from './limits.ts';
import type { FoundPackage } from './package.ts';
import { type Distribution, readCopyright, readOsRelease } from './readers/debian.ts';
import { findSection, readGoBuildInfo } from './readers/go.ts';
import { type SpdxSubject, spdxDocument } from './spdx.ts';

export interface ScanParams {
  readonly source: Place;
  readonly about: SpdxSubject;
}

/** What a tree holds. */
export interface Scan {
  readonly distribution: Distribution;
  /** With the file each was found in, without leading slash. */
  readonly packages: readonly (FoundPackage & { readonly foundIn: string })[];
  /** Files that should tell of packages and could not be read, with the reason. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Looks for packages in a tree of which this thread sees nothing else, and lists them as an SPDX document. Only regular files are read, none above a size. Throws
 * `resource-exhausted` for a tree that is too large to be listed.
 */
export async function scanJob({ source, about }: ScanParams, io: JobIo): Promise<object> {
  const found = await inPlaces([source], undefined, () => Promise.resolve(scan(sourceRoot(0), io)));
  return spdxDocument(found, about);
}

function scan(root: ByteString, io: JobIo): Scan {
  const release = contentOf(`${root}/usr/lib/os-release`) ?? contentOf(`${root}/etc/os-release`);
  const distribution = readOsRelease(release?.toString('utf8') ?? '');
  const packages: Scan['packages'][number][] = [];
  const unread: Scan['unread'][number][] = [];
  let files = 0;
  for (const { path, name: bytes, status } of walk(root)) {
    if ((status.mode & S.IFMT) !== S.IFREG) continue;
    io.signal.throwIfAborted();
    files += 1;
    if (files > MAX_SCANNED_FILES) throw tooMuch(`more than ${MAX_SCANNED_FILES} files`);
    const name = toText(bytes);
    try {
      for (const found of packagesIn({ root, path, name, mode: status.mode }, distribution)) {
        packages.push({ ...found, foundIn: name });
      }
    } catch (error) {
      unread.push({
        path: name,
        reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
      });
    }
    if (packages.length > MAX_PACKAGES) throw tooMuch(`more than ${MAX_PACKAGES} packages`);
  }
  return { distribution, packages, unread: unread.slice(0, 100) };
}

function packagesIn(
  file: { readonly root: ByteString; readonly path: ByteString; readonly name: string; readonly mode: number },
  distribution: Distribution,
): readonly FoundPackage[] {
  if (isUnread(file.name)) throw new WharfError('not-implemented', 'databases of rpm are not read');
  const reader = readerOf(file.name);
  if (reader === undefined) return (file.mode & 0o111) === 0 ? [] : goProgram(file.path);
  const text = contentOf(file.path)?.toString('utf8') ?? '';
  const found = reader(text, distribution);
  if (found[0]?.type !== 'deb') return found;
  return found.map((each) => ({ ...each, license: copyrightOf(file.root, each.name) }));
}

function copyrightOf(root: ByteString, name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9+.-]*$/.test(name)) return undefined;
  const text = contentOf(`${root}/usr/share/doc/${name}/copyright`, MAX_COPYRIGHT_BYTES);
  return text === undefined ? undefined : readCopyright(text.toString('utf8'));
}

function goProgram(path: ByteString): readonly FoundPackage[] {
  const fd = openSync(fsPath(path), O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
  try {
    const read = (offset: number, length: number): Buffer => readAt(fd, offset, length);
    const section = findSection(read, '.go.buildinfo');
    return section === undefined ? [] : readGoBuildInfo(read(section.offset, Math.min(section.size, 1024 * 1024)));
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.min(length, MAX_DATABASE_BYTES));
  if (!Number.isSafeInteger(offset) || offset < 0) return Buffer.alloc(0);
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, offset));
}

/** A regular file's content; undefined when there is none. Throws `resource-exhausted` for a larger one. */
function contentOf(path: ByteString, limit = MAX_DATABASE_BYTES): Buffer | undefined {
  const status = statusOf(path);
  if (status === undefined || (status.mode & S.IFMT) !== S.IFREG) return undefined;
  const size = Number(status.size);
  if (size > limit) throw new WharfError('resource-exhausted', `it has ${size} bytes, ${limit} at most are read`);
  const fd = openSync(fsPath(path), O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
  try {
    return readAt(fd, 0, size);
  } finally {
    closeSync(fd);
  }
}

function tooMuch(what: string): WharfError {
  return new WharfError('resource-exhausted', `Cannot make an SBOM: the result holds ${what}`);
}
