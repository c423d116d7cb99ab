import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from './dockerfile.ts';
import { DockerfileError } from './location.ts';
import { parseSyntax } from './parser.ts';

function parsed(text: string) {
  return parseDockerfile(text).stages[0]?.instructions ?? [];
}

function failure(text: string): string {
  try {
    parseDockerfile(text);
  } catch (error) {
    assert.ok(error instanceof DockerfileError, String(error));
    return error.message;
  }
  return 'no error';
}

test('parseDockerfile() reads stages, names, platforms and global arguments', () => {
  const { globalArgs, stages } = parseDockerfile(
    '# syntax=docker/dockerfile:1\nARG V=1\nfrom --platform=$BUILDPLATFORM alpine:$V as Build\nFROM scratch',
  );
  assert.deepEqual(globalArgs[0]?.args, [{ name: 'V', value: '1', description: '' }]);
  assert.equal(stages.length, 2);
  const from = stages[0]?.from;
  assert.deepEqual(
    [from?.base, from?.name, from?.writtenName, from?.platform],
    ['alpine:$V', 'build', 'Build', '$BUILDPLATFORM'],
  );
});

test('parseDockerfile() joins continuations and drops remarks inside', () => {
  const text = 'FROM a\nRUN one \\\n  # a remark\n  two \\  \n\n  three\nRUN end\\\n';
  const { stages, emptyContinuations } = parseDockerfile(text);
  const runs = stages[0]?.instructions ?? [];
  assert.deepEqual(
    runs.map((run) => run.kind === 'run' && run.words),
    [['one   two   three'], ['end']],
  );
  assert.deepEqual(runs[0]?.location, { start: 2, end: 6 });
  assert.deepEqual(emptyContinuations, [6]);
});

test('parseDockerfile() takes a backtick as escape character when told', () => {
  const [run] = parsed('# escape=`\nFROM a\nRUN dir `\n c:\\');
  assert.deepEqual(run?.kind === 'run' && run.words, ['dir  c:\\']);
  assert.match(failure('# escape=x\nFROM a'), /invalid escape token 'x'/);
  assert.match(failure('# escape=`\n# escape=`\nFROM a'), /only one escape parser directive/);
});

test('parseDockerfile() tells exec form from shell form', () => {
  const [exec, broken, shell] = parsed(`FROM a\nCMD ["a", "b c"]\nCMD ['a']\nCMD a  b`);
  assert.deepEqual(exec?.kind === 'cmd' && [exec.words, exec.shellForm], [['a', 'b c'], false]);
  assert.deepEqual(broken?.kind === 'cmd' && [broken.words, broken.shellForm], [["['a']"], true]);
  assert.deepEqual(shell?.kind === 'cmd' && [shell.words, shell.shellForm], [['a  b'], true]);
  assert.match(failure('FROM a\nCMD [1]'), /arrays must be comprised of strings only/);
});

test('parseDockerfile() reads heredocs of RUN, COPY and ONBUILD', () => {
  const [run, copy, onbuild] = parsed(
    'FROM a\nRUN <<EOF cat <<-"X" >/f\necho $A\nEOF\n\tone\n\tX\nCOPY <<a.txt <<-b.txt b /d/\n$A\na.txt\n\t\tB\n\tb.txt\nONBUILD RUN <<E\nhi\nE\n',
  );
  assert.deepEqual(
    run?.kind === 'run' && run.heredocs.map(({ name, expand, chomp, content }) => [name, expand, chomp, content]),
    [
      ['EOF', true, false, 'echo $A\n'],
      ['X', false, true, '\tone\n'],
    ],
  );
  assert.deepEqual(copy?.kind === 'copy' && [copy.sources, copy.inline, copy.destination], [
    ['b'],
    [
      { name: 'a.txt', data: '$A\n', expand: true },
      { name: 'b.txt', data: 'B\n', expand: true },
    ],
    '/d/',
  ]);
  assert.equal(onbuild?.kind === 'onbuild' && onbuild.expression, 'RUN <<E\nhi\nE');
  assert.match(failure('FROM a\nRUN <<EOF\nx'), /unterminated heredoc/);
});

test('parseDockerfile() reads the flags of each instruction', () => {
  const [copy, add, run, health] = parsed(
    'FROM a\nCOPY --from=b --chown=1:2 --chmod=u+x --link --exclude=*.md --exclude=t --parents x y /d\n' +
      'ADD --checksum=sha256:00 --keep-git-dir=true --unpack=false u /d\n' +
      'RUN --mount=type=cache,target=/c,sharing=locked --network=none --security=insecure x\n' +
      'HEALTHCHECK --interval=5s --retries=3 CMD ["x"]',
  );
  assert.deepEqual(
    copy?.kind === 'copy' && [copy.from, copy.chown, copy.chmod, copy.link, copy.exclude, copy.parents],
    ['b', '1:2', 'u+x', true, ['*.md', 't'], true],
  );
  assert.deepEqual(add?.kind === 'add' && [add.checksum, add.keepGitDir, add.unpack], ['sha256:00', true, false]);
  assert.deepEqual(run?.kind === 'run' && [run.mountFlags, run.network, run.security], [
    ['type=cache,target=/c,sharing=locked'],
    'none',
    'insecure',
  ]);
  assert.deepEqual(health?.kind === 'healthcheck' && health.healthcheck, {
    Test: ['CMD', 'x'],
    Interval: 5e9,
    Retries: 3,
  });
});

test('parseDockerfile() keeps the text of name-value pairs for the expansion', () => {
  const [env, old, label] = parsed(`FROM a\nENV A="x y" B=c\\ d\nENV OLD one  two\nLABEL "k k"=v`);
  assert.deepEqual(env?.kind === 'env' && env.pairs.map(({ name, value }) => [name, value]), [
    ['A', '"x y"'],
    ['B', 'c\\ d'],
  ]);
  assert.deepEqual(old?.kind === 'env' && old.pairs, [{ name: 'OLD', value: 'one  two', legacy: true }]);
  assert.deepEqual(label?.kind === 'label' && label.pairs, [{ name: '"k k"', value: 'v', legacy: false }]);
});

const REFUSED: readonly (readonly [string, string])[] = [
  ['FROM a\nRUNN x', 'dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)'],
  ['FROM a\ncopi x y', 'dockerfile parse error on line 2: unknown instruction: copi (did you mean copy?)'],
  ['FROM a b', 'dockerfile parse error on line 1: FROM requires either one or three arguments'],
  [
    'FROM a AS 1x',
    `dockerfile parse error on line 1: invalid name for build stage: "1x", name can't start with a number or contain symbols`,
  ],
  [
    'FROM a\nCOPY x',
    'dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined',
  ],
  ['FROM a\nCOPY --form=x a b', 'dockerfile parse error on line 2: unknown flag: --form (did you mean from?)'],
  ['FROM a\nENV x', 'ENV must have two arguments'],
  ['FROM a\nENV a=1 b', `Syntax error - can't find = in "b". Must be of the form: name=value`],
  ['FROM a\nWORKDIR', 'dockerfile parse error on line 2: WORKDIR requires exactly one argument'],
  ['FROM a\nONBUILD FROM b', "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger"],
  ['FROM a\nHEALTHCHECK CMDD x', 'dockerfile parse error on line 2: Unknown type "CMDD" in HEALTHCHECK (try CMD)'],
  [
    'FROM a\nHEALTHCHECK --interval=1us CMD x',
    'dockerfile parse error on line 2: Interval "interval" cannot be less than 1ms',
  ],
  ['FROM a\nSHELL x', 'dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form'],
  ['RUN x', 'no build stage in current context'],
  ['# only a remark', 'file with no instructions'],
  ['', 'the Dockerfile cannot be empty'],
  [' \n', 'file with no instructions'],
  ['ARG x', 'dockerfile contains no stages to build'],
];

for (const [text, message] of REFUSED) {
  test(`parseDockerfile() refuses ${JSON.stringify(text)}`, () => assert.equal(failure(text), message));
}

test('parseSyntax() ends with a result or a DockerfileError, whatever it is given', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'FROM a',
      'RUN',
      '<<EOF',
      'EOF',
      '\\',
      '`',
      '"',
      "'",
      '[',
      '{"',
      '$',
      '${',
      '--',
      '#',
      '# escape=`',
      '\t',
      '\n',
      '\r\n',
      'ONBUILD ',
      'ENV a=',
    ),
    fc.string({ unit: 'binary', maxLength: 10 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      try {
        for (const node of parseSyntax(text).nodes) assert.ok(node.location.start <= node.location.end);
        parseDockerfile(text);
      } catch (error) {
        assert.ok(error instanceof DockerfileError, String(error));
      }
    }),
  );
});
