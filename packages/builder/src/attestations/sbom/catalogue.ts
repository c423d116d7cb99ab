import type { FoundPackage } from './package.ts';
import { readApkInstalled } from './readers/alpine.ts';
import { type Distribution, readDpkgStatus } from './readers/debian.ts';
import { readGoMod } from './readers/go.ts';
import { readInstalledPackage, readPackageLock, readPnpmLock, readYarnLock } from './readers/npm.ts';
import { readCargoLock, readComposer, readGemfileLock, readGemspec } from './readers/others.ts';
import { readPoetryLock, readPythonMetadata, readRequirements } from './readers/python.ts';

/** Reads the packages out of one file. Throws on what it cannot make sense of. */
export type Reader = (text: string, distribution: Distribution) => readonly FoundPackage[];

const BY_NAME: Readonly<Record<string, Reader>> = {
  'package-lock.json': readPackageLock,
  '.package-lock.json': readPackageLock,
  'npm-shrinkwrap.json': readPackageLock,
  'yarn.lock': readYarnLock,
  'pnpm-lock.yaml': readPnpmLock,
  'requirements.txt': readRequirements,
  'poetry.lock': readPoetryLock,
  'uv.lock': readPoetryLock,
  'Gemfile.lock': readGemfileLock,
  'gems.locked': readGemfileLock,
  'go.mod': readGoMod,
  'Cargo.lock': readCargoLock,
  'composer.lock': readComposer,
};

/** By the end of a path; the first that fits counts. */
const BY_PATH: readonly (readonly [RegExp, Reader])[] = [
  [/^(?:usr\/)?lib\/apk\/db\/installed$/, readApkInstalled],
  [/^var\/lib\/dpkg\/status$/, readDpkgStatus],
  [/^var\/lib\/dpkg\/status\.d\/[^/]+(?<!\.md5sums)$/, readDpkgStatus],
  [/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/, readInstalledPackage],
  [/\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/, readPythonMetadata],
  [/(?:^|\/)composer\/installed\.json$/, readComposer],
  [/(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/, readGemspec],
];

/** Databases whose format is not read here. */
const UNREAD = /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm)\/(?:rpmdb\.sqlite|Packages|Packages\.db)$/;

/** What reads a file of that path, which has no leading slash; undefined for files that tell of no packages. */
export function readerOf(path: string): Reader | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    (Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined) ?? BY_PATH.find(([pattern]) => pattern.test(path))?.[1]
  );
}

/** True for a database of packages that is there but cannot be read. */
export function isUnread(path: string): boolean {
  return UNREAD.test(path);
}
