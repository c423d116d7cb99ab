import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import fc from 'fast-check';
import { DockerfileError } from '../dockerfile/location.ts';
import { replaceMatches, trimPrefix, trimSuffix } from '../dockerfile/shell-pattern.ts';
import { expand } from '../dockerfile/shell-words.ts';
import { PatternList, readIgnoreFile } from '../files/pattern-list.ts';
import type { PlanOptions } from '../plan/plan.ts';
import { CORPUS } from './fuzz-corpus.ts';
import { checkedPlan } from './inspect.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const OPTIONS: PlanOptions = {
  ...{ buildArgs: new Map(), buildPlatform: PLATFORM, targetPlatform: PLATFORM, labels: {}, noCache: false },
  allStages: true,
  resolveImage: async (reference) => ({
    ...{ reference, platform: PLATFORM, chainId: '' as const, diffIds: [], layers: [] },
    config: { ...PLATFORM, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
  }),
};
/** Faults of the file as a whole, which lie on no line. */
const WHOLE = /cannot be empty|no instructions|contains no stages|larger than/;

/** Plans a file: it works, or fails with a DockerfileError that has lines of the file. */
async function survives(text: string): Promise<void> {
  try {
    await checkedPlan(text, OPTIONS);
  } catch (error) {
    assert.ok(
      error instanceof DockerfileError,
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
    if (WHOLE.test(error.message)) return;
    const { start, end } = error.location ?? { start: 0, end: 0 };
    assert.ok(start >= 1 && end >= start, `"${error.message}" has lines: ${JSON.stringify(error.location)}`);
    assert.ok(start <= text.split('\n').length);
  }
}

for (const [name, text] of Object.entries(CORPUS))
  test(`a Dockerfile of the corpus is survived: ${name}`, () => survives(text()));

const keyword = fc.constantFrom(
  ...['FROM', 'ARG', 'ENV', 'RUN', 'COPY', 'ADD', 'WORKDIR', 'USER', 'LABEL', 'EXPOSE', 'VOLUME', 'CMD', 'ENTRYPOINT'],
  ...[
    'HEALTHCHECK',
    'ONBUILD',
    'SHELL',
    'STOPSIGNAL',
    'MAINTAINER',
    'from',
    'Run',
    'FORM',
    '#',
    '# escape=',
    '# check=',
  ],
);
const word = fc.constantFrom(
  ...[
    'a',
    'b=c',
    '$a',
    '${a}',
    '${a:-b}',
    '${a#*b}',
    '${a//b/c}',
    '${',
    '}',
    '"',
    "'",
    '\\',
    '`',
    '<<E',
    '<<-"E"',
    'E',
  ],
  ...[
    '--from=a',
    '--mount=type=cache,target=/x',
    '--mount=type=secret,id=s',
    '--chmod=u+x',
    '--platform=$a',
    '--',
    '[',
  ],
  ...[
    '["a"]',
    'AS',
    'as',
    '/',
    '.',
    '..',
    '80/tcp',
    '1-5',
    'CMD',
    'NONE',
    '=',
    '#',
    '\t',
    '\\\n',
    '\n',
    '\r',
    '\0',
    'ü',
    '😀',
  ],
  ...['skip=all', 'error=true', 'scratch', 'http://h/x', 'https://h/x.git#b', '*', '**/x', '[a-', '$$', '~', ';', ','],
);
const line = fc.tuple(keyword, fc.array(word, { maxLength: 8 })).map(([first, words]) => [first, ...words].join(' '));

test('Dockerfiles put together from pieces are survived', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), (lines) => survives(['FROM a AS a', ...lines].join('\n'))),
    { numRuns: 1500 },
  );
});

test('any text and any bytes are survived as a Dockerfile', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), survives), { numRuns: 500 });
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => `FROM a\n${Buffer.from(array).toString('utf8')}`);
  await fc.assert(fc.asyncProperty(bytes, survives), { numRuns: 500 });
});

test('expand() takes any text, and pieces of the language in any order', () => {
  const variables = new Map([
    ['a', 'value'],
    ['b', ''],
  ]);
  const attempt = (text: string) => {
    try {
      expand(text, variables);
    } catch (error) {
      assert.ok(error instanceof DockerfileError, String(error));
    }
  };
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), attempt), { numRuns: 1000 });
  const piece = fc.constantFrom(
    '$',
    '{',
    '}',
    'a',
    'b',
    ':',
    '-',
    '+',
    '?',
    '#',
    '%',
    '/',
    '"',
    "'",
    '\\',
    '*',
    ' ',
    '<',
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
      attempt,
    ),
    { numRuns: 3000 },
  );
});

test('shell patterns agree with regular expressions', () => {
  const pattern = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 6 }).map((pieces) => pieces.join(''));
  const value = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }).map((pieces) => pieces.join(''));
  const source = (text: string, star: string) => text.replaceAll('?', '[^]').replaceAll('*', star);
  fc.assert(
    fc.property(pattern, value, (text, of) => {
      const greedy = source(text, '[^]*');
      assert.equal(replaceMatches(text, of, '-', false), of.replace(new RegExp(greedy), '-'));
      assert.equal(trimPrefix(text, of, true), of.replace(new RegExp(`^${greedy}`), ''));
      assert.equal(trimPrefix(text, of, false), of.replace(new RegExp(`^${source(text, '[^]*?')}`), ''));
      const shortest = Array.from({ length: of.length + 1 })
        .map((_, at) => of.length - at)
        .find((at) => new RegExp(`^${greedy}$`).test(of.slice(at)));
      assert.equal(trimSuffix(text, of, false), shortest === undefined ? of : of.slice(0, shortest));
      if (!text.includes('*') && text !== '') {
        assert.equal(replaceMatches(text, of, '-', true), of.replace(new RegExp(greedy, 'g'), '-'));
      }
    }),
    { numRuns: 3000 },
  );
});

test('.dockerignore: any text is read, and patterns agree with regular expressions', () => {
  const attempt = (text: string, path: string) => {
    try {
      new PatternList(readIgnoreFile(text)).matches(path);
    } catch (error) {
      assert.ok(error instanceof WharfError && error.kind === 'invalid-argument', String(error));
    }
  };
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), fc.string({ maxLength: 30 }), attempt));
  for (const text of [
    '['.repeat(5000),
    '**/'.repeat(1300),
    '*a'.repeat(2000),
    `${'a/**\n'.repeat(20_000)}!a/b`,
    '!',
    '\\',
    '\0',
  ]) {
    attempt(text, 'a/'.repeat(2000));
  }
  const pattern = fc.array(fc.constantFrom('a', 'b', '*', '?', '/', '**/'), { minLength: 1, maxLength: 6 });
  const path = fc.array(fc.constantFrom('a', 'b', 'a/', 'b/'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(pattern, path, (pieces, parts) => {
      const [cleaned = ''] = readIgnoreFile(pieces.join(''));
      if (cleaned === '' || cleaned === '.' || cleaned === '/' || cleaned.startsWith('!')) return;
      const name = parts.join('').replace(/\/+$/, '');
      const body = cleaned.replace(/\*\*$|\*\*\/?|\*|\?/g, (found) => {
        if (found === '?') return '[^/]';
        if (found === '*') return '[^/]*';
        return found === '**' && cleaned.endsWith('**') ? '.*' : '(?:.*/)?';
      });
      if (/\*\*[^/]/.test(cleaned)) return;
      assert.equal(
        new PatternList([cleaned]).matches(name),
        new RegExp(`^${body}(?:/.*)?$`).test(name),
        `${cleaned} ${name}`,
      );
    }),
    { numRuns: 2000 },
  );
});
