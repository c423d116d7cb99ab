import { type FoundPackage, linesOf } from '../package.ts';
import { stanzas } from './stanzas.ts';

/** What a distribution says of itself (os-release(5)). */
export interface Distribution {
  readonly id: string;
  readonly version: string;
}

/** Reads `/etc/os-release`. */
export function readOsRelease(text: string): Distribution {
  const value = (key: string): string => {
    const line = linesOf(text).find((each) => each.startsWith(`${key}=`)) ?? '';
    return line.slice(key.length + 1).replace(/^["']|["']$/g, '');
  };
  return { id: value('ID'), version: value('VERSION_ID') };
}

/** Packages of `/var/lib/dpkg/status`, or of a file of `status.d` as images without dpkg have it; those that are installed. */
export function readDpkgStatus(text: string, distribution: Distribution): readonly FoundPackage[] {
  const packages: FoundPackage[] = [];
  for (const fields of stanzas(text)) {
    const [name, version] = [fields.get('package') ?? '', fields.get('version') ?? ''];
    const status = fields.get('status') ?? 'install ok installed';
    if (name === '' || version === '' || !/ (installed|half-configured|unpacked|triggers-\w+)$/.test(status)) continue;
    const [source = '', sourceVersion = ''] = (fields.get('source') ?? '').split(/[ ()]+/);
    const upstream = source === '' ? '' : sourceVersion === '' ? source : `${source}@${sourceVersion}`;
    packages.push({
      ...{ type: 'deb', namespace: distribution.id || 'debian', name, version },
      qualifiers: { arch: fields.get('architecture') ?? '', distro: distroOf(distribution), upstream },
      supplier: fields.get('maintainer'),
    });
  }
  return packages;
}

/** Licenses that a package's `copyright` file names in its machine-readable form (Debian Policy, copyright-format). */
export function readCopyright(text: string): string | undefined {
  if (!/^Format:/im.test(text.slice(0, 2000))) return undefined;
  const names = new Set<string>();
  for (const line of linesOf(text)) {
    const name = /^License:[ \t]*(\S.*)$/i.exec(line)?.[1]?.trim();
    if (name !== undefined) names.add(name);
  }
  const sorted = [...names].sort();
  if (sorted.length <= 1) return sorted[0];
  return sorted.map((name) => (/ or /i.test(name) ? `(${name})` : name)).join(' AND ');
}

export function distroOf({ id, version }: Distribution): string {
  return id === '' || version === '' ? id : `${id}-${version}`;
}
