import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';

/** An image layout whose index is to name what the daemon has put there. */
export interface StoreUpdate {
  readonly directory: string;
  readonly tag: string;
  /** The key of the daemon's answer that holds the descriptor. */
  readonly answer: string;
}

interface Descriptor {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const TAG = 'org.opencontainers.image.ref.name';

/** The digest an image layout knows under a tag; `undefined` where there is none, or no layout (OCI image-layout, "index.json"). */
export function readIndex(directory: string, tag: string): string | undefined {
  return manifestsOf(directory).find(({ annotations }) => annotations?.[TAG] === tag)?.digest;
}

/** Names a manifest in an image layout; what bore the tag before is named no more. */
export function updateIndex(directory: string, tag: string, descriptor: Descriptor): void {
  const others = manifestsOf(directory).filter(
    ({ digest, annotations }) =>
      annotations?.[TAG] !== tag && !(digest === descriptor.digest && annotations?.[TAG] === undefined),
  );
  const named = { ...descriptor, annotations: { ...descriptor.annotations, [TAG]: tag } };
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [...others, named],
  };
  mkdirSync(directory, { recursive: true });
  writeDurably(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeDurably(join(directory, 'index.json'), JSON.stringify(index));
}

function manifestsOf(directory: string): readonly Descriptor[] {
  let text: string;
  try {
    text = readFileSync(join(directory, 'index.json'), 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
  try {
    return (JSON.parse(text) as { readonly manifests?: readonly Descriptor[] }).manifests ?? [];
  } catch (error) {
    throw new WharfError('data-loss', `Cannot read "${join(directory, 'index.json')}": it is no JSON`, {
      cause: error,
    });
  }
}

/** Writes a file so that it is either the old or the new one, whatever happens. */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const fd = openSync(temporary, 'wx', 0o644);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}
