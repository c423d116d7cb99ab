import { checksum, type FoundPackage } from '../package.ts';
import { type Distribution, distroOf } from './debian.ts';

/** Packages of apk's database (`lib/apk/db/installed`; Alpine wiki, "Apk spec"): lines of a letter each, blank lines between packages. */
export function readApkInstalled(text: string, distribution: Distribution): readonly FoundPackage[] {
  return text.split(/\n[ \t]*\n/).flatMap((paragraph) => {
    const fields = new Map<string, string>();
    for (const line of paragraph.split('\n')) {
      // Behind the package's own fields come those of its files, of which some have the same letters.
      if (line.startsWith('F:')) break;
      if (line[1] === ':') fields.set(line.slice(0, 1), line.slice(2));
    }
    const [name, version] = [fields.get('P') ?? '', fields.get('V') ?? ''];
    if (name === '' || version === '') return [];
    const sum = fields.get('C') ?? '';
    return [
      {
        ...{ type: 'apk', namespace: distribution.id || 'alpine', name, version, license: fields.get('L') },
        qualifiers: { arch: fields.get('A') ?? '', distro: distroOf(distribution), upstream: fields.get('o') ?? '' },
        checksums: sum.startsWith('Q1') ? checksum('sha1', Buffer.from(sum.slice(2), 'base64').toString('hex')) : [],
        supplier: fields.get('m'),
      },
    ];
  });
}
