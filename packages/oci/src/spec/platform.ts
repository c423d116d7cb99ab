import { WharfError } from '@wharf/kit/errors';
import type { Platform } from './image.ts';

const nodeArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  loong64: 'loong64',
  mips: 'mips',
  mipsel: 'mipsle',
};

const architectureAliases: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  i386: ['386'],
  i686: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

const osAliases: Readonly<Record<string, string>> = { macos: 'darwin' };

const knownOs = new Set([
  'linux',
  'windows',
  'darwin',
  'freebsd',
  'netbsd',
  'openbsd',
  'solaris',
  'illumos',
  'wasi',
  'wasip1',
  'js',
  'plan9',
  'aix',
  'android',
  'dragonfly',
  'ios',
  'zos',
]);
const knownArchitectures = new Set([
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips',
  'mipsle',
  'mips64',
  'mips64le',
  'ppc64',
  'ppc64le',
  'riscv64',
  's390x',
  'wasm',
  'wasm32',
]);

/** The platform this process runs on. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: 'linux', architecture: nodeArchitectures[process.arch] ?? process.arch });
}

/** Canonical spelling: lower case, Go's architecture names, and no variant where it says nothing (`arm64/v8`, `amd64/v1`). */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const given = platform.architecture.toLowerCase();
  const alias = architectureAliases[given];
  const architecture = alias?.[0] ?? given;
  let variant = (platform.variant ?? '').toLowerCase() || (alias?.[1] ?? '');
  if (/^\d/.test(variant)) variant = `v${variant}`;
  if (architecture === 'arm64' && variant === 'v8') variant = '';
  if (architecture === 'amd64' && variant === 'v1') variant = '';
  if (architecture === 'arm' && variant === '') variant = 'v7';
  return {
    architecture,
    os: osAliases[os] ?? os,
    ...(variant === '' ? {} : { variant }),
    ...(platform['os.version'] ? { 'os.version': platform['os.version'] } : {}),
    ...(platform['os.features'] ? { 'os.features': platform['os.features'] } : {}),
  };
}

/** Parses `linux/arm64/v8`, `linux/amd64`, `linux` or `arm64`. Throws `invalid-argument`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [first = '', second, third] = parts;
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.()-]+$/.test(part))) {
    throw new WharfError(
      'invalid-argument',
      `"${text}" is an invalid component of "${text}": platform specifier must be <os>[/<arch>[/<variant>]]`,
    );
  }
  const os = first.toLowerCase().replace(/\(.*$/, '');
  if (second !== undefined) {
    return normalizePlatform({ os, architecture: second, ...(third === undefined ? {} : { variant: third }) });
  }
  if (knownOs.has(osAliases[os] ?? os)) {
    const host = hostPlatform();
    return { ...host, os: osAliases[os] ?? os };
  }
  const single = normalizePlatform({ os: 'linux', architecture: first });
  if (knownArchitectures.has(single.architecture)) return single;
  throw new WharfError('invalid-argument', `"${text}": unknown operating system or architecture: invalid argument`);
}

/** `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

/** True when content for `have` is exactly what `want` asks. An unset variant in `want` takes any variant of arm64 and amd64. */
export function platformMatches(want: Platform, have: Platform): boolean {
  return platformRank(want, have) !== undefined;
}

/**
 * How well `have` serves `want`: 0 is best, `undefined` is not at all. An arm host also runs lower variants, an
 * amd64 host lower micro-architecture levels; the nearest one ranks first.
 */
export function platformRank(want: Platform, have: Platform): number | undefined {
  const w = normalizePlatform(want);
  const h = normalizePlatform(have);
  if (w.os !== h.os || w.architecture !== h.architecture) return undefined;
  if ((w.variant ?? '') === (h.variant ?? '')) return 0;
  const wanted = variantNumber(w);
  const had = variantNumber(h);
  if (wanted === undefined || had === undefined) return undefined;
  return had < wanted ? wanted - had : undefined;
}

function variantNumber(platform: Platform): number | undefined {
  const { architecture, variant } = platform;
  if (variant === undefined) {
    if (architecture === 'arm64') return 8;
    if (architecture === 'amd64') return 1;
    return undefined;
  }
  const match = /^v(\d+)$/.exec(variant);
  return match ? Number(match[1]) : undefined;
}
