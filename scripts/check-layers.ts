import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './lib/root.ts';
import { listFiles, readSource } from './lib/sources.ts';

/** What a package may import of the others (ARCHITECTURE.md, "The ladder"); a rung never imports itself sideways. */
const LADDER: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  linux: ['kit'],
  wire: ['kit'],
  store: ['kit'],
  oci: ['kit', 'linux', 'wire'],
  engine: ['kit', 'linux', 'wire', 'store', 'oci'],
  builder: ['kit', 'linux', 'wire', 'store', 'oci'],
  registry: ['kit', 'wire', 'store', 'oci'],
  compose: ['kit', 'wire'],
  cluster: ['kit', 'wire', 'store'],
  wharf: ['kit', 'linux', 'wire', 'store', 'oci', 'engine', 'builder', 'registry', 'compose', 'cluster'],
  console: ['wire'],
};

/** Modules that one package only may import: the kernel, the database and the log library each have one home. */
const ONLY_IN: Readonly<Record<string, string>> = {
  koffi: 'linux',
  'node:ffi': 'linux',
  'node:sqlite': 'store',
  ws: 'wire',
  pino: 'wharf',
};

const MAX_LINES = 500;
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** The rules of the house that a program can see. Returns one line per breach. */
export function checkLayers(): readonly string[] {
  const problems: string[] = [];
  for (const path of listFiles(['packages', 'scripts', 'bench', 'e2e', 'conformance'], '.ts')) {
    const text = readSource(path);
    problems.push(...checkFile(path, text), ...importProblems(path, text));
  }
  for (const manifest of listFiles(['packages'], 'package.json')) {
    const readme = join(dirname(manifest), 'README.md');
    if (!existsSync(join(ROOT, readme))) problems.push(`${readme}: missing; every package says what it is for`);
  }
  for (const document of listFiles(['.'], '.md')) problems.push(...checkLinks(document));
  return problems;
}

function checkFile(path: string, text: string): readonly string[] {
  const problems: string[] = [];
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES && !text.startsWith('// generated'))
    problems.push(`${path}: ${lines} lines, more than ${MAX_LINES}`);
  if (!/^[a-z0-9][a-z0-9.-]*\.ts$/.test(path.slice(path.lastIndexOf('/') + 1)))
    problems.push(`${path}: file names are kebab-case`);
  return problems;
}

/** What is wrong with the imports of one source file. */
export function importProblems(path: string, text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].flatMap((match) => checkImport(path, match[1] ?? match[2] ?? match[3] ?? ''));
}

function checkImport(path: string, specifier: string): readonly string[] {
  const home = /^packages\/([^/]+)\//.exec(path)?.[1];
  const test = path.endsWith('.test.ts') || path.includes('/testing/') || path.endsWith('testsuite.ts');
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(path), specifier));
    if (home !== undefined && !target.startsWith(`packages/${home}/`))
      return [`${path}: leaves its package by "${specifier}"; import @wharf/… instead`];
    if (!test && target.endsWith('.test.ts')) return [`${path}: imports the test file "${specifier}"`];
    return existsSync(join(ROOT, target)) ? [] : [`${path}: "${specifier}" does not exist`];
  }
  const only = ONLY_IN[specifier];
  if (only !== undefined && home !== only && !(test && specifier !== 'koffi'))
    return [`${path}: only packages/${only} may import "${specifier}"`];
  const target = /^@wharf\/([^/]+)/.exec(specifier)?.[1];
  if (target === undefined || target === home)
    return target !== undefined && target === home
      ? [`${path}: imports its own package by name; use a relative path`]
      : [];
  if (home === undefined)
    return target === 'engine' && !path.startsWith('conformance/')
      ? [`${path}: only the binaries are tested from outside; "${specifier}" is an inside`]
      : [];
  const allowed = LADDER[home];
  if (allowed === undefined) return [`${path}: package "${home}" has no rung in scripts/check-layers.ts`];
  return allowed.includes(target) ? [] : [`${path}: ${home} may not import ${target} (the ladder in ARCHITECTURE.md)`];
}

/** Relative links of a document must lead somewhere. */
function checkLinks(document: string): readonly string[] {
  const problems: string[] = [];
  for (const [, target = ''] of readSource(document).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:|^#/.test(target)) continue;
    const path = join(ROOT, dirname(document), target.replace(/#.*$/, ''));
    if (!existsSync(path)) problems.push(`${document}: the link to "${target}" leads nowhere`);
  }
  return problems;
}

if (import.meta.main) {
  const problems = checkLayers();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
