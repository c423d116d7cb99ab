import { type FoundPackage, linesOf } from '../package.ts';
import { stanzas } from './stanzas.ts';
import { tomlTables } from './toml-tables.ts';

/** Names that differ in case, dots and dashes only are one (PEP 503). */
function pythonPackage(name: string, version: string, license?: string): readonly FoundPackage[] {
  if (name === '' || version === '') return [];
  return [{ type: 'pypi', name: name.toLowerCase().replace(/[-_.]+/g, '-'), version, license }];
}

/** `METADATA` of an installed distribution, and `PKG-INFO` (Python packaging, "Core metadata"). */
export function readPythonMetadata(text: string): readonly FoundPackage[] {
  const [fields] = stanzas(text.slice(0, 64 * 1024));
  if (fields === undefined) return [];
  const license = fields.get('license-expression') || fields.get('license') || undefined;
  const short = license !== undefined && license.length <= 100 && license !== 'UNKNOWN' ? license : undefined;
  return pythonPackage(fields.get('name') ?? '', fields.get('version') ?? '', short);
}

/** `requirements.txt`: what is pinned to one version. */
export function readRequirements(text: string): readonly FoundPackage[] {
  return linesOf(text).flatMap((line) => {
    const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([A-Za-z0-9._!+-]+)/.exec(line);
    return match === null ? [] : pythonPackage(match[1] ?? '', match[2] ?? '');
  });
}

/** `poetry.lock`, and `uv.lock`, which has the same tables. */
export function readPoetryLock(text: string): readonly FoundPackage[] {
  return [...tomlTables(text, 'package')].flatMap(({ name = '', version = '' }) => pythonPackage(name, version));
}
