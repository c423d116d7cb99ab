import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../root.ts';
import { type Effort, gzipFile, tarDirectory, writeAr, zstdFile } from './archives.ts';
import { type Release, stageRelease } from './stage.ts';

/** Where the package puts the release. */
const INSTALLED = '/usr/lib/wharf';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** What the daemon and Node cannot do without. */
export const DEPENDS = [
  'libc6 (>= 2.28)',
  'libstdc++6',
  'libgcc-s1',
  'libatomic1',
  'crun (>= 1.0)',
  'conmon (>= 2.0)',
  'nftables',
  'libnftables1',
  'procps',
  'xz-utils',
  'bzip2',
];
/** What only some of it asks for: `--init`, sources of builds, keys lent to builds, other registries. */
const RECOMMENDS = ['tini', 'git', 'openssh-client', 'ca-certificates', 'iproute2'];
const SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** Builds `wharf_VERSION_ARCHITECTURE.deb` in `output`, using `scratch`. Returns its path. */
export async function buildDeb(output: string, scratch: string, effort: Effort): Promise<string> {
  const root = join(scratch, 'deb');
  rmSync(root, { recursive: true, force: true });
  const release = await stageRelease(join(root, INSTALLED), INSTALLED);
  placeByPolicy(release, root);
  const control = join(scratch, 'control');
  writeControl(release, root, control);
  const part = (name: string) => join(scratch, name);
  writeFileSync(part('debian-binary'), '2.0\n');
  await tarDirectory(control, part('control.tar'));
  await gzipFile(part('control.tar'), part('control.tar.gz'), effort);
  await tarDirectory(root, part('data.tar'));
  await zstdFile(part('data.tar'), part('data.tar.zst'), effort);
  const path = join(output, `wharf_${release.version}_${debianArchitecture(release)}.deb`);
  const members = ['debian-binary', 'control.tar.gz', 'data.tar.zst'].map((name) => ({ name, path: part(name) }));
  await writeAr(path, members);
  return path;
}

function debianArchitecture({ architecture }: Release): string {
  const name = ARCHITECTURES[architecture];
  if (name === undefined) throw new Error(`Cannot build a package for ${architecture}`);
  return name;
}

/** Moves what Debian has places for to them (Debian policy, chapter 9; file-hierarchy(7)). */
function placeByPolicy({ directory }: Release, root: string): void {
  const move = (from: string, to: string) => {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(directory, from), target, { recursive: true });
    rmSync(join(directory, from), { recursive: true });
  };
  move('share/man', 'usr/share/man');
  move('share/completion/bash/wharf', 'usr/share/bash-completion/completions/wharf');
  move('share/completion/zsh/_wharf', 'usr/share/zsh/vendor-completions/_wharf');
  move('share/completion/fish/wharf.fish', 'usr/share/fish/vendor_completions.d/wharf.fish');
  move('share/licenses', 'usr/share/doc/wharf/licenses');
  move('bin/wharf', 'usr/bin/wharf');
  move('bin/wharfd', 'usr/sbin/wharfd');
  const unit = join(root, 'usr/lib/systemd/system/wharf.service');
  mkdirSync(dirname(unit), { recursive: true });
  const text = readFileSync(join(directory, 'share/systemd/wharf.service'), 'utf8');
  writeFileSync(unit, text.replace('/usr/local/bin/wharfd', '/usr/sbin/wharfd'));
  rmSync(join(directory, 'share'), { recursive: true });
  rmSync(join(directory, 'bin'), { recursive: true });
  mkdirSync(join(root, 'etc/wharf'), { recursive: true });
  // Node's own words of what it is made of stay with it.
  symlinkSync('/usr/share/doc/wharf/licenses/node', join(directory, 'LICENSE.node'));
}

function writeControl(release: Release, root: string, directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  let bytes = 0;
  const sums = paths.map((path) => {
    const content = readFileSync(path);
    bytes += content.length;
    return `${createHash('md5').update(content).digest('hex')}  ${path.slice(root.length + 1)}\n`;
  });
  writeFileSync(join(directory, 'md5sums'), sums.join(''));
  const fields: Readonly<Record<string, string>> = {
    Package: 'wharf',
    Version: release.version,
    Architecture: debianArchitecture(release),
    Maintainer: 'wharf',
    'Installed-Size': String(Math.ceil(bytes / 1024)),
    Depends: DEPENDS.join(', '),
    Recommends: RECOMMENDS.join(', '),
    Section: 'admin',
    Priority: 'optional',
    Description:
      "container platform behind the protocols of Docker\n Engine, builder, registry and Compose in one, with the command line wharf. Docker's clients work with it.",
  };
  const control = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  writeFileSync(join(directory, 'control'), control.join(''));
  for (const name of SCRIPTS) {
    cpSync(join(ROOT, 'packaging/debian', name), join(directory, name));
    chmodSync(join(directory, name), 0o755);
  }
}
