import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageUrl } from '../package-url.ts';
import { isUnread, readerOf } from './catalogue.ts';
import { licenseExpression } from './licenses.ts';
import { readCopyright, readOsRelease } from './readers/debian.ts';
import { findSection, readGoBuildInfo } from './readers/go.ts';
import { spdxDocument } from './spdx.ts';

const debian = { id: 'debian', version: '13' };

/** What the file of a path is read as, in package URLs. */
function urls(path: string, text: string): readonly string[] {
  const reader = readerOf(path);
  assert.ok(reader, `nothing reads ${path}`);
  return reader(text, debian).map(packageUrl).sort();
}

test('Packages of dpkg are those that are installed, with architecture, distribution and source', () => {
  const status = `Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.37-2
Source: bash-src (5.2)
Description: shell
 Package: not-a-field

Package: removed
Status: deinstall ok config-files
Version: 1
`;
  assert.deepEqual(urls('var/lib/dpkg/status', status), [
    'pkg:deb/debian/bash@5.2.37-2?arch=amd64&distro=debian-13&upstream=bash-src%405.2',
  ]);
  assert.equal(urls('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2025a\n').length, 1);
  assert.equal(readerOf('var/lib/dpkg/status.d/tzdata.md5sums'), undefined);
});

test('Packages of apk have licenses and checksums, and end where their files begin', () => {
  const text = 'C:Q1pSfjHvA4xVsKqmPQqxQWbUQXyE8=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\nF:lib\nR:P:no\nV:9\n\nP:empty\n';
  const reader = readerOf('lib/apk/db/installed');
  const [found, ...others] = reader?.(text, { id: 'alpine', version: '3.20' }) ?? [];
  assert.equal(others.length, 0);
  assert.equal(found && packageUrl(found), 'pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20');
  assert.equal(found?.license, 'MIT');
  assert.equal(found?.checksums?.[0]?.algorithm, 'SHA1');
});

test('Lock files of npm are read in every version, aliases and scopes too', () => {
  const v3 = {
    packages: {
      '': { name: 'own' },
      'packages/inner': { version: '1.0.0' },
      'node_modules/inner': { link: true },
      'node_modules/a': {
        version: '1.2.3',
        license: 'MIT',
        integrity: `sha512-${Buffer.alloc(64).toString('base64')}`,
      },
      'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
      'node_modules/alias': { name: 'real', version: '3.0.0' },
    },
  };
  assert.deepEqual(urls('app/package-lock.json', JSON.stringify(v3)), [
    'pkg:npm/%40s/b@2.0.0',
    'pkg:npm/a@1.2.3',
    'pkg:npm/real@3.0.0',
  ]);
  const v1 = { dependencies: { a: { version: '1.0.0', dependencies: { b: { version: 'npm:c@2.0.0' } } } } };
  assert.deepEqual(urls('package-lock.json', JSON.stringify(v1)), ['pkg:npm/a@1.0.0', 'pkg:npm/c@2.0.0']);
  assert.deepEqual(urls('x/node_modules/@s/n/package.json', '{"name":"@s/n","version":"1.0.0"}'), [
    'pkg:npm/%40s/n@1.0.0',
  ]);
  assert.equal(readerOf('x/package.json'), undefined);
});

test('Lock files of yarn and pnpm are read in the spellings they had', () => {
  const one =
    '# yarn lockfile v1\n\n"@s/a@^1.0.0", "@s/a@^1.1.0":\n  version "1.1.0"\n  resolved "x"\n\nb@2:\n  version "2.0.0"\n';
  assert.deepEqual(urls('yarn.lock', one), ['pkg:npm/%40s/a@1.1.0', 'pkg:npm/b@2.0.0']);
  const berry =
    '"a@npm:^1.0.0":\n  version: 1.0.1\n  checksum: 10/x\n\n"own@workspace:.":\n  version: 0.0.0-use.local\n';
  assert.deepEqual(urls('yarn.lock', berry), ['pkg:npm/a@1.0.1']);
  const pnpm = `lockfileVersion: '9.0'\nimporters:\n  .:\n    x: 1\npackages:\n  '@s/a@1.0.0(peer@2.0.0)':\n    resolution: {integrity: sha512-x}\n  b@2.0.0:\n    x: y\nsnapshots:\n  c@3.0.0:\n`;
  assert.deepEqual(urls('pnpm-lock.yaml', pnpm), ['pkg:npm/%40s/a@1.0.0', 'pkg:npm/b@2.0.0']);
  assert.deepEqual(urls('pnpm-lock.yaml', 'packages:\n  /a/1.0.0_b@2.0.0:\n    x: 1\n  /@s/b@2.0.0:\n    x: 1\n'), [
    'pkg:npm/%40s/b@2.0.0',
    'pkg:npm/a@1.0.0',
  ]);
});

test('Packages of Python, Ruby, Rust, PHP and Go are found where each keeps them', () => {
  assert.deepEqual(
    urls(
      'usr/lib/python3/site-packages/Foo_Bar-1.0.dist-info/METADATA',
      'Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\nLicense: MIT\n\nName: no\n',
    ),
    ['pkg:pypi/foo-bar@1.0'],
  );
  assert.deepEqual(urls('requirements.txt', 'a==1.0\nb>=2\n-r x\nc[d] == 3 ; python_version > "3"\n'), [
    'pkg:pypi/a@1.0',
    'pkg:pypi/c@3',
  ]);
  assert.deepEqual(
    urls(
      'poetry.lock',
      '[[package]]\nname = "A"\nversion = "1.0"\n\n[package.dependencies]\nname = "no"\n\n[[package]]\nname = "b"\nversion = "2"\n',
    ),
    ['pkg:pypi/a@1.0', 'pkg:pypi/b@2'],
  );
  assert.deepEqual(
    urls(
      'Gemfile.lock',
      'GEM\n  remote: x\n  specs:\n    rack (3.0.1)\n      dep (>= 1)\n    nokogiri (1.16.0-x86_64-linux)\n',
    ),
    ['pkg:gem/nokogiri@1.16.0?platform=x86_64-linux', 'pkg:gem/rack@3.0.1'],
  );
  assert.deepEqual(urls('x/specifications/rake-13.gemspec', '  s.name = "rake".freeze\n  s.version = "13.0"\n'), [
    'pkg:gem/rake@13.0',
  ]);
  assert.deepEqual(
    urls(
      'Cargo.lock',
      `[[package]]\nname = "own"\nversion = "0.1.0"\n\n[[package]]\nname = "serde"\nversion = "1.0.0"\nsource = "registry+x"\nchecksum = "${'a'.repeat(64)}"\n`,
    ),
    ['pkg:cargo/serde@1.0.0'],
  );
  assert.deepEqual(
    urls('composer.lock', '{"packages":[{"name":"v/p","version":"v1.2","license":["MIT"]}],"packages-dev":[]}'),
    ['pkg:composer/v/p@1.2'],
  );
  assert.deepEqual(
    urls(
      'go.mod',
      'module example.test/m\n\ngo 1.22\n\nrequire (\n\tgolang.org/x/net v0.1.0 // indirect\n)\nrequire example.test/a v1.0.0\n',
    ),
    ['pkg:golang/example.test/a@v1.0.0', 'pkg:golang/golang.org/x/net@v0.1.0'],
  );
  assert.equal(isUnread('var/lib/rpm/rpmdb.sqlite'), true);
});

/** A small ELF file with one section besides that of names. */
function elf(name: string, content: Buffer): Buffer {
  const names = Buffer.from(`\0.shstrtab\0${name}\0`, 'latin1');
  const head = Buffer.alloc(64);
  head.write('\x7fELF\x02\x01', 'latin1');
  const at = 64 + names.length + content.length;
  head.writeBigUInt64LE(BigInt(at), 40);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(3, 60);
  head.writeUInt16LE(1, 62);
  const section = (nameAt: number, offset: number, size: number) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(nameAt, 0);
    bytes.writeBigUInt64LE(BigInt(offset), 24);
    bytes.writeBigUInt64LE(BigInt(size), 32);
    return bytes;
  };
  const sections = [Buffer.alloc(64), section(1, 64, names.length), section(11, 64 + names.length, content.length)];
  return Buffer.concat([head, names, content, ...sections]);
}

test('A program of Go says what modules it was built of', () => {
  const modules = `${'m'.repeat(16)}path\texample.test/m\ndep\tgolang.org/x/net\tv0.1.0\th1:x\ndep\texample.test/old\tv1.0.0\n=>\texample.test/new\tv2.0.0\th1:y\n${'m'.repeat(16)}`;
  const text = (value: string) =>
    Buffer.concat([Buffer.from([(value.length & 127) | 128, value.length >> 7]), Buffer.from(value, 'latin1')]);
  const head = Buffer.concat([Buffer.from('\xff Go buildinf:\x08\x02', 'latin1'), Buffer.alloc(16)]);
  const file = elf('.go.buildinfo', Buffer.concat([head, text('go1.22.1'), text(modules)]));
  const read = (offset: number, length: number) => file.subarray(offset, offset + length);
  const section = findSection(read, '.go.buildinfo');
  assert.ok(section);
  assert.deepEqual(readGoBuildInfo(read(section.offset, section.size)).map(packageUrl), [
    'pkg:golang/stdlib@1.22.1',
    'pkg:golang/golang.org/x/net@v0.1.0',
    'pkg:golang/example.test/new@v2.0.0',
  ]);
  // Cut anywhere, it is no program, or has less in it; never a fault.
  for (let length = 0; length < file.length; length += 7) {
    const cut = (offset: number, size: number) => file.subarray(offset, Math.min(length, offset + size));
    const found = findSection(cut, '.go.buildinfo');
    if (found !== undefined) readGoBuildInfo(cut(found.offset, found.size));
  }
});

test('licenseExpression() gives SPDX expressions, and names what SPDX does not know', () => {
  const own = new Map<string, string>();
  const expression = (text: string | undefined) => licenseExpression(text, own);
  assert.equal(expression(undefined), 'NOASSERTION');
  assert.equal(expression('MIT'), 'MIT');
  assert.equal(expression('GPL-2+'), 'GPL-2.0-or-later');
  assert.equal(expression('GPL-2+ AND Expat AND GPL-2.0-or-later'), 'GPL-2.0-or-later AND MIT');
  assert.equal(expression('(MIT OR Apache-2.0) AND Zlib'), '(MIT OR Apache-2.0) AND Zlib');
  assert.equal(expression('GPL-2+ or MIT'), 'GPL-2.0-or-later OR MIT');
  assert.equal(own.size, 0);
  assert.equal(expression('My own terms!'), 'LicenseRef-My-own-terms-');
  assert.notEqual(expression('My own terms?'), 'LicenseRef-My-own-terms-');
  assert.equal(expression('(MIT'), 'LicenseRef--MIT');
  assert.equal(own.get('LicenseRef-My-own-terms-'), 'My own terms!');
  const copyright = 'Format: https://x/\n\nFiles: *\nLicense: GPL-2+ or Artistic\n text\n\nFiles: a\nLicense: MIT\n';
  assert.equal(readCopyright(copyright), '(GPL-2+ or Artistic) AND MIT');
  assert.equal(readCopyright('License: MIT\n'), undefined);
  assert.deepEqual(readOsRelease('NAME="x"\nID=debian\nVERSION_ID="13"\n'), { id: 'debian', version: '13' });
});

test('spdxDocument() lists each package once and is the same for the same packages in any order', () => {
  const a = { type: 'npm', name: 'a', version: '1.0.0', license: 'MIT', foundIn: 'x/package-lock.json' };
  const b = {
    type: 'deb',
    namespace: 'debian',
    name: 'b',
    version: '2',
    supplier: 'M <m@x>',
    foundIn: 'var/lib/dpkg/status',
  };
  const about = { name: 'stage', created: '2026-01-01T00:00:00Z', tool: 'wharf' };
  const unread = [{ path: 'var/lib/rpm/rpmdb.sqlite', reason: 'no' }];
  const one = spdxDocument({ distribution: debian, packages: [a, b, { ...a, foundIn: 'y' }], unread }, about);
  const other = spdxDocument({ distribution: debian, packages: [b, { ...a, foundIn: 'y' }, a], unread }, about);
  assert.deepEqual(one, other);
  const { packages, relationships, annotations } = one as {
    readonly packages: readonly { readonly name: string; readonly sourceInfo?: string; readonly supplier?: string }[];
    readonly relationships: readonly unknown[];
    readonly annotations: readonly { readonly comment: string }[];
  };
  assert.deepEqual(
    packages.map(({ name }) => name),
    ['stage', 'b', 'a'],
  );
  assert.equal(packages[2]?.sourceInfo, 'package information from: /x/package-lock.json, /y');
  assert.equal(packages[1]?.supplier, 'Person: M (m@x)');
  assert.equal(relationships.length, 3);
  assert.match(annotations[0]?.comment ?? '', /rpmdb.sqlite could not be read: no/);
});

const PATHS = [
  ...['var/lib/dpkg/status', 'lib/apk/db/installed', 'yarn.lock', 'pnpm-lock.yaml', 'requirements.txt', 'poetry.lock'],
  ...['Gemfile.lock', 'go.mod', 'Cargo.lock', 'a.dist-info/METADATA', 'specifications/a.gemspec'],
];

test('Nothing a file may hold takes a reader long, or makes it fail but with an error of its own', () => {
  const pieces = [
    'Package: a\n',
    'name = "a"\n',
    '[[package]]',
    '"a@1":',
    '  version "1"',
    '/',
    '@',
    '.',
    '(',
    ' ',
    '\n',
    'P:a\nV:1\n',
    '\t',
  ];
  const hostile = [
    ...pieces.map((piece) => piece.repeat(20_000)),
    ...pieces.map((piece) => `${piece}${'a.'.repeat(10_000)}`),
    ...pieces.flatMap((one) => pieces.map((other) => `${one}${other}`.repeat(200))),
  ];
  for (const path of PATHS) {
    const reader = readerOf(path);
    assert.ok(reader);
    for (const text of hostile) reader(text, debian);
  }
  assert.throws(() => readerOf('package-lock.json')?.('{', debian), SyntaxError);
  for (const text of [
    '[]',
    'null',
    '1',
    '{"packages":1}',
    '{"packages":{"node_modules/a":null}}',
    '{"dependencies":[[]]}',
  ]) {
    assert.deepEqual(urls('package-lock.json', text), []);
  }
  assert.deepEqual(urls('composer.lock', '{"packages":[null,{"name":1}],"packages-dev":"x"}'), []);
});
