import { checksum, type FoundPackage, fieldsOf, linesOf, textOf } from '../package.ts';
import { tomlTables } from './toml-tables.ts';

/** `Cargo.lock`; the crates of the repository itself have no source. */
export function readCargoLock(text: string): readonly FoundPackage[] {
  return [...tomlTables(text, 'package')].flatMap(({ name = '', version = '', source = '', checksum: sum = '' }) =>
    name === '' || version === '' || source === ''
      ? []
      : [{ type: 'cargo', name, version, checksums: checksum('sha256', sum) }],
  );
}

/** `Gemfile.lock`: the gems that were chosen. */
export function readGemfileLock(text: string): readonly FoundPackage[] {
  return linesOf(text).flatMap((line) => {
    const [, name, version, platform = ''] =
      /^ {4}([A-Za-z0-9._-]+) \(([0-9][^)\s-]*)(?:-([^)\s]+))?\)$/.exec(line) ?? [];
    return name === undefined || version === undefined
      ? []
      : [{ type: 'gem', name, version, qualifiers: { platform } }];
  });
}

/** The specification of an installed gem, as `gem` writes it. */
export function readGemspec(text: string): readonly FoundPackage[] {
  const lines = linesOf(text);
  const value = (key: string): string | undefined => {
    const line = lines.find((each) => each.trimStart().startsWith(`s.${key} = `));
    return line === undefined ? undefined : /"([^"]+)"/.exec(line)?.[1];
  };
  const [name, version] = [value('name'), value('version')];
  if (name === undefined || version === undefined) return [];
  return [{ type: 'gem', name, version, license: value('licenses') ?? value('license') }];
}

/** `composer.lock`, and `vendor/composer/installed.json`. */
export function readComposer(text: string): readonly FoundPackage[] {
  const document: unknown = JSON.parse(text);
  const fields = fieldsOf(document);
  const lists = Array.isArray(document) ? [document] : [fields['packages'], fields['packages-dev']];
  return lists
    .flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
    .flatMap((value) => {
      const entry = fieldsOf(value);
      const [namespace = '', name = ''] = textOf(entry['name']).split('/', 2);
      const version = textOf(entry['version']).replace(/^v(?=\d)/, '');
      if (name === '' || version === '') return [];
      const licenses = Array.isArray(entry['license']) ? (entry['license'] as unknown[]).map(textOf) : [];
      const license = licenses.length === 0 ? undefined : licenses.join(' OR ');
      return [{ type: 'composer', namespace, name, version, license }];
    });
}
