import { type FoundPackage, fieldsOf, integrityChecksums, linesOf, textOf } from '../package.ts';

/** A package of npm's by its full name. */
export function npmPackage(
  fullName: string,
  version: string,
  rest: Pick<FoundPackage, 'license' | 'checksums'> = {},
): readonly FoundPackage[] {
  const match = /^(?:(@[^/]+)\/)?([^/@][^/]*)$/.exec(fullName);
  const [, scope = '', name = ''] = match ?? [];
  if (name === '' || !/^\d/.test(version)) return [];
  return [{ type: 'npm', ...(scope === '' ? {} : { namespace: scope }), name, version, ...rest }];
}

/** `package-lock.json` and `npm-shrinkwrap.json`, of every version. */
export function readPackageLock(text: string): readonly FoundPackage[] {
  const lock = fieldsOf(JSON.parse(text));
  const packages = Object.entries(fieldsOf(lock['packages']));
  if (packages.length > 0) {
    return packages.flatMap(([path, value]) => {
      const entry = fieldsOf(value);
      if (path === '' || entry['link'] === true) return [];
      const name = textOf(entry['name']) || path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return path.includes('node_modules/') ? lockedPackage(name, entry) : [];
    });
  }
  return dependencies(fieldsOf(lock['dependencies']), 0);
}

const MAX_NESTING = 64;

function dependencies(entries: Readonly<Record<string, unknown>>, depth: number): readonly FoundPackage[] {
  if (depth > MAX_NESTING) return [];
  return Object.entries(entries).flatMap(([name, value]) => {
    const entry = fieldsOf(value);
    return [...lockedPackage(name, entry), ...dependencies(fieldsOf(entry['dependencies']), depth + 1)];
  });
}

function lockedPackage(name: string, entry: Readonly<Record<string, unknown>>): readonly FoundPackage[] {
  // An alias is locked as the package it stands for.
  const [, aliased, aliasedVersion] = /^npm:(@?[^@]+)@(.+)$/.exec(textOf(entry['version'])) ?? [];
  const checksums = integrityChecksums(entry['integrity']);
  return npmPackage(aliased ?? name, aliasedVersion ?? textOf(entry['version']), {
    license: licenseOf(entry),
    checksums,
  });
}

/** The `package.json` of an installed package. */
export function readInstalledPackage(text: string): readonly FoundPackage[] {
  const manifest = fieldsOf(JSON.parse(text));
  return npmPackage(textOf(manifest['name']), textOf(manifest['version']), { license: licenseOf(manifest) });
}

function licenseOf(entry: Readonly<Record<string, unknown>>): string | undefined {
  const { license, licenses } = entry;
  if (typeof license === 'string') return license;
  const listed = Array.isArray(licenses) ? licenses : [license];
  const names = listed.map((each) => textOf(fieldsOf(each)['type'])).filter((name) => name !== '');
  return names.length === 0 ? undefined : names.join(' OR ');
}

/** `yarn.lock`, of Yarn 1 and of later ones. */
export function readYarnLock(text: string): readonly FoundPackage[] {
  const packages: FoundPackage[] = [];
  let name = '';
  let version = '';
  let integrity = '';
  const finish = (): void => {
    packages.push(...npmPackage(name, version, { checksums: integrityChecksums(integrity) }));
    name = '';
    version = '';
    integrity = '';
  };
  for (const line of linesOf(text)) {
    const head = /^"?(@?[^@\s"#]+)@[^\n]*:$/.exec(line);
    if (head !== null) {
      finish();
      // Of what is in the repository itself nothing is told.
      name = /@(workspace|patch|link|portal|file):/.test(line) ? '' : (head[1] ?? '');
    }
    version = /^ {2}version:? "?([^"\s]+)"?$/.exec(line)?.[1] ?? version;
    integrity = /^ {2}integrity (\S+)$/.exec(line)?.[1] ?? integrity;
  }
  finish();
  return packages;
}

/** `pnpm-lock.yaml`: the keys of its `packages`, in the spelling of each version of the format. */
export function readPnpmLock(text: string): readonly FoundPackage[] {
  const packages: FoundPackage[] = [];
  let isInside = false;
  let key: { readonly name: string; readonly version: string } | undefined;
  let integrity = '';
  const finish = (): void => {
    if (key !== undefined)
      packages.push(...npmPackage(key.name, key.version, { checksums: integrityChecksums(integrity) }));
    key = undefined;
    integrity = '';
  };
  for (const line of linesOf(text)) {
    if (/^\S/.test(line)) isInside = line.startsWith('packages:');
    if (!isInside) continue;
    const head = /^ {2}(['"]?)(\/?[^\s'"]\S*?)\1:\s*$/.exec(line)?.[2];
    if (head !== undefined) {
      finish();
      key = pnpmKey(head);
    }
    integrity = /integrity: ([^,}\s]+)/.exec(line)?.[1] ?? integrity;
  }
  finish();
  return packages;
}

/** `/name/1.0.0_peer`, `/name@1.0.0(peer)`, `name@1.0.0(peer)`. */
function pnpmKey(key: string): { readonly name: string; readonly version: string } | undefined {
  const plain = key.replace(/^\//, '').replace(/\(.*$/, '');
  const [, name, version] = /^(@[^/]+\/[^/@]+|[^/@]+)[@/]([^/_]+)(?:_.*)?$/.exec(plain) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}
