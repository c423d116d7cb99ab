/** A piece of software that a tree holds, or says it needs in a lock file. */
export interface FoundPackage {
  /** As package URLs have it: `deb`, `npm`, `pypi`. */
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
  /** As its own records have it; an SPDX expression, or not. */
  readonly license?: string | undefined;
  readonly qualifiers?: Readonly<Record<string, string>>;
  readonly checksums?: readonly Checksum[];
  /** Whoever ships it. */
  readonly supplier?: string | undefined;
}

export interface Checksum {
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA384' | 'SHA512' | 'MD5';
  /** Hexadecimal. */
  readonly value: string;
}

const ALGORITHMS: Readonly<Record<string, readonly [Checksum['algorithm'], number]>> = {
  sha1: ['SHA1', 20],
  sha256: ['SHA256', 32],
  sha384: ['SHA384', 48],
  sha512: ['SHA512', 64],
  md5: ['MD5', 16],
};

/** A subresource integrity (`sha512-BASE64`, several apart by spaces) as checksums; what makes no sense is left out. */
export function integrityChecksums(integrity: unknown): readonly Checksum[] {
  if (typeof integrity !== 'string') return [];
  return integrity.split(/\s+/).flatMap((each) => {
    const [name = '', encoded = ''] = each.split('-', 2);
    return checksum(name, Buffer.from(encoded, 'base64').toString('hex'));
  });
}

/** A checksum where the digits are as many as the algorithm has. */
export function checksum(name: string, hex: string): readonly Checksum[] {
  const [algorithm, bytes] = ALGORITHMS[name.toLowerCase()] ?? [];
  if (algorithm === undefined || bytes === undefined) return [];
  return new RegExp(`^[0-9a-f]{${bytes * 2}}$`).test(hex) ? [{ algorithm, value: hex }] : [];
}

/** Fields of a document that may hold anything. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const MAX_LINE_LENGTH = 16 * 1024;

/** The lines of a text; those that are too long to be anything that is looked for are left out. */
export function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).filter(({ length }) => length <= MAX_LINE_LENGTH);
}
