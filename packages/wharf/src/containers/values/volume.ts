import { resolve } from 'node:path';
import { cut } from './pairs.ts';
import { refuse } from './refuse.ts';

/** What one `--volume` asks for: a bind (a path or a volume's name on the left), or a volume without a name. */
export type VolumeWish = { readonly bind: string } | { readonly anonymous: string };

/** Reads `[source:]target[:options]`; a source that begins with a dot is below `directory`. Options are the daemon's to judge. */
export function parseVolume(text: string, directory: string): VolumeWish {
  if (text === '') throw refuse('invalid empty volume spec');
  if (text.length <= 2) return { anonymous: text };
  const sections = split(text);
  const fail = (what: string): Error => refuse(`invalid spec: ${text}: ${what}`);
  for (const [index, section] of sections.entries()) {
    if (section === '') throw fail('empty section between colons');
    if (index > 2 || (index === 2 && sections.length > 3)) throw fail('too many colons');
  }
  const [source = ''] = sections;
  if (sections.length === 1) return { anonymous: text };
  if (!isPath(source)) return { bind: text };
  const { before, after } = cut(text, ':');
  return { bind: `${before.startsWith('.') ? resolve(directory, before) : before}:${after}` };
}

/** Colons divide, but not the one of a drive's letter: `C:\data`. */
function split(text: string): readonly string[] {
  const sections = [''];
  for (const character of text) {
    const last = sections.at(-1) ?? '';
    if (character === ':' && !/^\p{L}$/u.test(last)) sections.push('');
    else sections[sections.length - 1] = last + character;
  }
  return sections;
}

function isPath(source: string): boolean {
  return /^[./~]/.test(source) || source.startsWith('\\\\') || /^\p{L}:/u.test(source);
}
