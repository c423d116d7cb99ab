import { test } from 'node:test';
import { WharfError } from '@wharf/kit/errors';
import fc from 'fast-check';
import { renderProject } from '../config/render.ts';
import { serviceShape } from '../model/fields.ts';
import { loadProject } from './load-project.ts';

/** Loads and prints, or is refused with an error of ours: never with one of the language's. */
async function survives(source: string): Promise<void> {
  try {
    const project = await loadProject({
      files: ['-'],
      readStdin: async () => source,
      environment: { HOME: '/root' },
      cwd: '/tmp',
      profiles: ['*'],
      checkConsistency: false,
    });
    renderProject(project, 'yaml');
    renderProject(project, 'json');
  } catch (error) {
    if (!(error instanceof WharfError)) throw error;
  }
}

const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    '',
    'a',
    'a=b',
    '80:80',
    './a:/b',
    '5s',
    '1g',
    '${A:-b}',
    '${',
    'service:x',
    '~',
    '0777',
    '1.5',
  ),
  fc.integer(),
  fc.double(),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, tie('list'), tie('map')),
  list: fc.array(tie('any'), { maxLength: 3 }),
  map: fc.dictionary(
    fc.constantFrom('a', 'b', 'source', 'target', 'path', 'name', 'x-a', 'test', '__proto__', 'limits'),
    tie('any'),
    {
      maxKeys: 3,
    },
  ),
})).any;
const attribute = fc.constantFrom(...serviceShape.fields.map(({ key }) => key));

test('loadProject() loads or refuses a service, whatever its attributes are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(attribute, value), { maxLength: 4 }), async (pairs) => {
      await survives(JSON.stringify({ services: { web: { image: 'a', ...Object.fromEntries(pairs) } } }));
    }),
    { numRuns: 600 },
  );
});

test('loadProject() loads or refuses a file, whatever its sections are', async () => {
  const section = fc.constantFrom(
    'services',
    'networks',
    'volumes',
    'configs',
    'secrets',
    'models',
    'include',
    'name',
    'x-a',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(section, value), { maxLength: 4 }), async (pairs) => {
      await survives(JSON.stringify(Object.fromEntries(pairs)));
    }),
    { numRuns: 400 },
  );
});

test('loadProject() loads or refuses a text, whatever it is', async () => {
  const piece = fc.constantFrom(
    ...[
      'services:',
      ' web:',
      '  image: a',
      '- ',
      ': ',
      '\n',
      '\n  ',
      '&a ',
      '*a',
      '<<: ',
      '!reset ',
      '"',
      "'",
      '[',
      ']',
      '{',
      '}',
      '|',
      '\t',
      '#',
      '---\n',
      '${A}',
      '\u0000',
      '😀',
    ],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), (pieces) => survives(pieces.join(''))),
    { numRuns: 600 },
  );
});
