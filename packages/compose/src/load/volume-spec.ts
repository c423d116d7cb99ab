import { posix } from 'node:path';
import { type Dict, dict } from './values.ts';

/** The short forms, for suggestions. */
export const VOLUME_FORMS = 'a volume is "name:/path", "./directory:/path:ro" or "/path"';

const PROPAGATIONS = new Set(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave']);

/**
 * A mount's short form (`source:target:options`) as the long one. Throws an `Error` in compose's words
 * (`invalid spec: …: too many colons`).
 */
export function parseVolumeSpec(spec: string): Dict {
  const volume = dict();
  if (spec === '') throw new Error('invalid empty volume spec');
  // Go counts bytes: one or two of them cannot be a source and a target.
  if (Buffer.byteLength(spec) <= 2) return dict({ type: 'volume', target: cleanPath(spec) });
  const sections = splitSections(spec);
  for (const [index, section] of sections.entries()) {
    try {
      fill(volume, section, index === sections.length - 1);
    } catch (error) {
      throw new Error(`invalid spec: ${spec}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const target = volume['target'];
  const settled = dict({ type: 'volume', ...volume });
  if (isFilePath(typeof volume['source'] === 'string' ? volume['source'] : '')) {
    settled['type'] = 'bind';
    settled['bind'] = dict({ ...(volume['bind'] as Dict | undefined), create_host_path: true });
  } else settled['volume'] ??= dict();
  if (typeof target === 'string' && target !== '') settled['target'] = cleanPath(target);
  return settled;
}

/** Go's `path.Clean`. */
export function cleanPath(path: string): string {
  if (path === '') return '.';
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

/** Colons separate, except after a Windows drive's letter and inside `${…}`. */
function splitSections(spec: string): string[] {
  const sections: string[] = [];
  let section = '';
  let depth = 0;
  for (let i = 0; i < spec.length; i += 1) {
    const char = spec[i] ?? '';
    if (char === '$' && spec[i + 1] === '{') depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
    else if (char === ':' && depth === 0 && !/^\p{L}$/u.test(section)) {
      sections.push(section);
      section = '';
      continue;
    }
    section += char;
  }
  sections.push(section);
  return sections;
}

function fill(volume: Dict, section: string, last: boolean): void {
  if (section === '') throw new Error('empty section between colons');
  if (volume['source'] === undefined) volume[last ? 'target' : 'source'] = section;
  else if (volume['target'] === undefined) volume['target'] = section;
  else if (!last) throw new Error('too many colons');
  else for (const option of section.split(',')) setOption(volume, option);
}

function setOption(volume: Dict, option: string): void {
  const bind = (): Dict => {
    const options = (volume['bind'] as Dict | undefined) ?? dict();
    volume['bind'] = options;
    return options;
  };
  if (option === 'ro') volume['read_only'] = true;
  else if (option === 'rw') delete volume['read_only'];
  else if (option === 'nocopy') volume['volume'] = dict({ nocopy: true });
  else if (PROPAGATIONS.has(option)) bind()['propagation'] = option;
  else if (option === 'z' || option === 'Z') bind()['selinux'] = option;
}

function isFilePath(source: string): boolean {
  return /^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}
