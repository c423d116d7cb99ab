import { messageOf, WharfError } from '@wharf/kit/errors';
import { type ContextMeta, type ContextStore, goJson, parseMeta, type TlsMaterial } from './context-store.ts';

/** The largest archive, and the largest file in it, that is read. */
const LIMIT_BYTES = 10 * 1024 * 1024;

/** A context as an archive that docker's `context import` reads. */
export async function packContext(meta: ContextMeta, tls: TlsMaterial): Promise<Buffer> {
  const { encodeTarHeader, TAR_END, tarPadding } = await import('@wharf/oci/tar/write');
  const parts: Uint8Array[] = [];
  const file = (name: string, mode: number, content: Buffer): void => {
    parts.push(
      encodeTarHeader({ name, type: 'file', mode, sizeBytes: content.length }),
      content,
      tarPadding(content.length),
    );
  };
  const directory = (name: string): void => void parts.push(encodeTarHeader({ name, type: 'directory', mode: 0o700 }));
  file('meta.json', 0o644, Buffer.from(goJson(meta)));
  directory('tls');
  for (const [endpoint, files] of tls) {
    directory(`tls/${endpoint}`);
    for (const [name, content] of files) file(`tls/${endpoint}/${name}`, 0o600, content);
  }
  return Buffer.concat([...parts, TAR_END]);
}

/** Reads an archive of a context, tar or zip, into the store under a name. Nothing is written before all of it was read. */
export async function unpackContext(
  name: string,
  store: ContextStore,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const whole = await readAll(source);
  const files = whole.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004' ? unzip(whole) : await untar(whole);
  let meta: ContextMeta | undefined;
  const tls = new Map<string, Map<string, Buffer>>();
  for (const [path, content] of files) {
    checkPath(path);
    if (path === 'meta.json') meta = { ...parse(content), Name: name };
    else {
      const [, endpoint = '', file = ''] = /^tls\/([^/]+)\/(.+)$/.exec(path) ?? [];
      if (file === '' || file.includes('/')) throw refuse('archive format is invalid');
      const known = tls.get(endpoint) ?? new Map<string, Buffer>();
      tls.set(endpoint, known.set(file, content));
    }
  }
  if (meta === undefined) throw refuse('invalid context: no metadata found');
  store.put(meta);
  store.putTls(name, tls);
}

function parse(content: Buffer): ContextMeta {
  try {
    return parseMeta(content.toString('utf8'));
  } catch (error) {
    throw refuse(`invalid context: ${messageOf(error)}`);
  }
}

function checkPath(path: string): void {
  const problem = !(path === 'meta.json' || path.startsWith('tls/'))
    ? 'unexpected context file'
    : /(^|\/)\.{0,2}(\/|$)/.test(path)
      ? 'unexpected path format'
      : path.includes('\\')
        ? "unexpected '\\' in path"
        : undefined;
  if (problem !== undefined) throw refuse(`${path}: ${problem}`);
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > LIMIT_BYTES) throw refuse('read exceeds the defined limit');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function untar(whole: Buffer): Promise<readonly (readonly [string, Buffer])[]> {
  const { readTar } = await import('@wharf/oci/tar/read');
  const found: (readonly [string, Buffer])[] = [];
  const source = (async function* () {
    yield whole;
  })();
  for await (const { entry, content } of readTar(source)) {
    if (entry.type === 'file') found.push([Buffer.from(entry.name, 'latin1').toString('utf8'), await readAll(content)]);
  }
  return found;
}

/** The files of a zip archive by its central directory (APPNOTE, 4.3.12): stored or deflated, without encryption. */
function unzip(whole: Buffer): readonly (readonly [string, Buffer])[] {
  const { inflateRawSync } = process.getBuiltinModule('node:zlib');
  const end = whole.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0 || end + 22 > whole.length) throw refuse('zip: not a valid zip file');
  const found: (readonly [string, Buffer])[] = [];
  let at = whole.readUInt32LE(end + 16);
  for (let count = whole.readUInt16LE(end + 10); count > 0; count -= 1) {
    if (at + 46 > whole.length || whole.readUInt32LE(at) !== 0x02014b50) throw refuse('zip: not a valid zip file');
    const [method, packed, nameLength] = [
      whole.readUInt16LE(at + 10),
      whole.readUInt32LE(at + 20),
      whole.readUInt16LE(at + 28),
    ];
    const [extra, comment, local] = [
      whole.readUInt16LE(at + 30),
      whole.readUInt16LE(at + 32),
      whole.readUInt32LE(at + 42),
    ];
    const name = whole.toString('utf8', at + 46, at + 46 + nameLength);
    at += 46 + nameLength + extra + comment;
    if (name.endsWith('/') || local + 30 > whole.length) continue;
    const start = local + 30 + whole.readUInt16LE(local + 26) + whole.readUInt16LE(local + 28);
    const bytes = whole.subarray(start, start + packed);
    if (method !== 0 && method !== 8) throw refuse('zip: unsupported compression algorithm');
    found.push([name, method === 0 ? bytes : inflateRawSync(bytes, { maxOutputLength: LIMIT_BYTES })]);
  }
  return found;
}

function refuse(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
