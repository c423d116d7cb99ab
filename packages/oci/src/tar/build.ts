import type { TarEntryInit } from './entry.ts';
import { encodeTarHeader, TAR_END, tarPadding } from './write.ts';

/** A member for `buildTar`: `content` gives the size unless `sizeBytes` says otherwise. */
export interface TarMemberInit extends TarEntryInit {
  readonly content?: string | Uint8Array;
}

/** A small archive as a whole, for what fits in memory: documents, one file for a container, tests. */
export function buildTar(members: readonly TarMemberInit[]): Buffer {
  const parts = members.flatMap(({ content = '', ...entry }) => {
    const body = Buffer.from(content);
    return [encodeTarHeader({ sizeBytes: body.length, ...entry }), body, tarPadding(body.length)];
  });
  return Buffer.concat([...parts, TAR_END]);
}
