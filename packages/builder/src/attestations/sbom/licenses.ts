import { createHash } from 'node:crypto';

/** Licenses by their SPDX identifiers, those that packages commonly have. What is not among them is told as it was found. */
const KNOWN: ReadonlySet<string> = new Set([
  ...[
    '0BSD',
    'AFL-2.1',
    'AGPL-3.0-only',
    'AGPL-3.0-or-later',
    'Apache-1.1',
    'Apache-2.0',
    'Artistic-1.0',
    'Artistic-1.0-Perl',
  ],
  ...[
    'Artistic-2.0',
    'BSD-1-Clause',
    'BSD-2-Clause',
    'BSD-2-Clause-Patent',
    'BSD-3-Clause',
    'BSD-3-Clause-Clear',
    'BSD-4-Clause',
  ],
  ...[
    'BSL-1.0',
    'BlueOak-1.0.0',
    'CC-BY-3.0',
    'CC-BY-4.0',
    'CC-BY-SA-3.0',
    'CC-BY-SA-4.0',
    'CC0-1.0',
    'CDDL-1.0',
    'CDDL-1.1',
  ],
  ...[
    'ClArtistic',
    'EPL-1.0',
    'EPL-2.0',
    'EUPL-1.2',
    'FSFAP',
    'FSFUL',
    'FSFULLR',
    'FTL',
    'GFDL-1.3-only',
    'GFDL-1.3-or-later',
  ],
  ...[
    'GPL-1.0-only',
    'GPL-1.0-or-later',
    'GPL-2.0-only',
    'GPL-2.0-or-later',
    'GPL-3.0-only',
    'GPL-3.0-or-later',
    'HPND',
    'ICU',
  ],
  ...[
    'IJG',
    'ISC',
    'LGPL-2.0-only',
    'LGPL-2.0-or-later',
    'LGPL-2.1-only',
    'LGPL-2.1-or-later',
    'LGPL-3.0-only',
    'LGPL-3.0-or-later',
  ],
  ...[
    'LPPL-1.3c',
    'Libpng',
    'MIT',
    'MIT-0',
    'MIT-CMU',
    'MPL-1.1',
    'MPL-2.0',
    'MS-PL',
    'NCSA',
    'OFL-1.1',
    'OLDAP-2.8',
    'OpenSSL',
  ],
  ...[
    'PHP-3.01',
    'PSF-2.0',
    'PostgreSQL',
    'Python-2.0',
    'Python-2.0.1',
    'Ruby',
    'SSPL-1.0',
    'Sleepycat',
    'TCL',
    'TCP-wrappers',
  ],
  ...[
    'Unicode-3.0',
    'Unicode-DFS-2016',
    'Unlicense',
    'UPL-1.0',
    'Vim',
    'W3C',
    'WTFPL',
    'X11',
    'XFree86-1.1',
    'ZPL-2.1',
    'Zlib',
  ],
  ...['bzip2-1.0.6', 'curl', 'libtiff', 'zlib-acknowledgement'],
]);

/** Names of Debian's copyright files and of older lists, by what they are called now. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ...(['GPL', 'LGPL', 'AGPL', 'GFDL'] as const).flatMap((family) =>
    ['1', '1.0', '2', '2.0', '2.1', '3', '3.0', '1.3'].flatMap((number) => {
      const version = number.includes('.') ? number : `${number}.0`;
      const only = [`${family}-${version}-only`, `${family}-${version}-or-later`] as const;
      return [[`${family}-${number}`, only[0]] as const, [`${family}-${number}+`, only[1]] as const];
    }),
  ),
  ['Apache-2', 'Apache-2.0'],
  ['Apache 2.0', 'Apache-2.0'],
  ['Apache License 2.0', 'Apache-2.0'],
  ['Apache License, Version 2.0', 'Apache-2.0'],
  ['MIT License', 'MIT'],
  ['ISC License', 'ISC'],
  ['Artistic', 'Artistic-1.0-Perl'],
  ['BSD-2-clause', 'BSD-2-Clause'],
  ['BSD-3-clause', 'BSD-3-Clause'],
  ['BSD-4-clause', 'BSD-4-Clause'],
  ['Expat', 'MIT'],
  ['zlib', 'Zlib'],
]);

/** Names of licenses that SPDX does not know, by the reference they were given. */
export type OwnLicenses = Map<string, string>;

/**
 * A license as an SPDX expression (SPDX 2.3, annex D). Names it has no word for become references, noted in `own`; `NOASSERTION` when
 * nothing is said.
 */
export function licenseExpression(text: string | undefined, own: OwnLicenses): string {
  const given = text?.trim() ?? '';
  if (given === '') return 'NOASSERTION';
  const whole = RENAMED.get(given) ?? given;
  if (KNOWN.has(whole)) return whole;
  const parts = given.split(/(\(|\)|\s(?:AND|OR|and|or)\s)/).map((part) => part.trim());
  const words = parts.filter((part) => part !== '');
  if (words.length > 200 || !isWellFormed(words)) return reference(given, own);
  const isList = words.every((word) => !isOperator(word) || word === 'AND');
  if (isList)
    return [...new Set(words.filter((word) => word !== 'AND').map((word) => termExpression(word, own)))].join(' AND ');
  return words
    .map((word) => (isOperator(word) ? word.toUpperCase() : termExpression(word, own)))
    .join(' ')
    .replaceAll('( ', '(')
    .replaceAll(' )', ')');
}

function isOperator(word: string): boolean {
  return /^(?:\(|\)|AND|OR|and|or)$/.test(word);
}

/** Terms and operators take turns, and parentheses close what they open. */
function isWellFormed(words: readonly string[]): boolean {
  let depth = 0;
  let wantsTerm = true;
  for (const word of words) {
    const opens = word === '(';
    const closes = word === ')';
    const isTerm = !isOperator(word);
    if ((opens || isTerm) !== wantsTerm) return false;
    if (opens) depth += 1;
    if (closes) depth -= 1;
    if (depth < 0) return false;
    if (!opens && !closes) wantsTerm = !wantsTerm;
  }
  return depth === 0 && !wantsTerm;
}

function termExpression(term: string, own: OwnLicenses): string {
  const [name = '', ...exception] = term.split(/\s+WITH\s+/);
  const known = RENAMED.get(name) ?? name;
  if (!KNOWN.has(known)) return reference(term, own);
  return exception.length === 0 ? known : `${known} WITH ${exception.join(' ')}`;
}

function reference(text: string, own: OwnLicenses): string {
  const id = `LicenseRef-${text.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 100)}`;
  const known = own.get(id);
  if (known === undefined || known === text) {
    own.set(id, text);
    return id;
  }
  const other = `${id}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
  own.set(other, text);
  return other;
}
