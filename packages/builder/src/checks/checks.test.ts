import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DockerfileError } from '../dockerfile/location.ts';
import type { PlanOptions } from '../plan/plan.ts';
import type { BaseImage } from '../plan/vertex.ts';
import { parseCheckOptions } from './check-options.ts';
import { type Checks, formatFinding } from './checks.ts';
import { checkedPlan, inspectDockerfile } from './inspect.ts';
import { RULES, type RuleName } from './rules.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const IMAGE: BaseImage = {
  reference: 'busybox',
  platform: PLATFORM,
  config: { ...PLATFORM, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
  chainId: '',
  diffIds: [],
  layers: [],
};
const ARM: BaseImage = { ...IMAGE, platform: { os: 'linux', architecture: 'arm64' } };

function options(given: Partial<PlanOptions> = {}): PlanOptions {
  return {
    ...{ buildArgs: new Map(), buildPlatform: PLATFORM, targetPlatform: PLATFORM, labels: {}, noCache: false },
    resolveImage: async (name) => (name === 'arm' ? ARM : IMAGE),
    ...given,
  };
}

/** Findings of a file as progress shows them; all stages are looked at. */
async function found(text: string, given: Partial<PlanOptions> = {}): Promise<readonly string[]> {
  let checks: Checks | undefined;
  await checkedPlan(text, { ...options(given), allStages: true }, (made) => {
    checks = made;
  });
  return checks?.findings.map(formatFinding) ?? [];
}

const ignoring = (...patterns: readonly string[]): Partial<PlanOptions> => ({
  ignorePatterns: () => Promise.resolve(patterns),
});

/** Rule, file, what is found without the rule's name, and what the plan is made with. */
const CASES: readonly (readonly [RuleName, string, readonly string[], Partial<PlanOptions>?])[] = [
  ['StageNameCasing', 'FROM busybox AS Base', ["Stage name 'Base' should be lowercase (line 1)"]],
  ['FromAsCasing', 'FROM busybox as a\nFROM busybox AS b', ["'as' and 'FROM' keywords' casing do not match (line 1)"]],
  ['NoEmptyContinuation', 'FROM busybox\nRUN a \\\n\n  b', ['Empty continuation line (line 4)']],
  [
    'ConsistentInstructionCasing',
    'FROM busybox\nrun a\nRUN b\nRun c',
    [
      "Command 'run' should match the case of the command majority (uppercase) (line 2)",
      "Command 'Run' should match the case of the command majority (uppercase) (line 4)",
    ],
  ],
  [
    'DuplicateStageName',
    'FROM busybox AS a\nFROM busybox AS a',
    ['Duplicate stage name "a", stage names should be unique (line 2)'],
  ],
  [
    'ReservedStageName',
    'FROM busybox AS scratch',
    ['Stage name should not use the same name as reserved stage "scratch" (line 1)'],
  ],
  [
    'JSONArgsRecommended',
    'FROM busybox\nCMD a\nFROM busybox\nSHELL ["/s"]\nCMD a',
    ['JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 2)'],
  ],
  [
    'MaintainerDeprecated',
    'FROM busybox\nMAINTAINER me',
    ['Maintainer instruction is deprecated in favor of using label (line 2)'],
  ],
  [
    'UndefinedArgInFrom',
    'ARG VERSION=1\nARG EMPTY\nFROM busybox:1$VERSIN$EMPTY',
    ["FROM argument 'VERSIN' is not declared (did you mean VERSION?) (line 3)"],
  ],
  [
    'WorkdirRelativePath',
    'FROM busybox AS a\nWORKDIR x\nWORKDIR y\nFROM a\nWORKDIR z',
    ['Relative workdir "x" can have unexpected results if the base image changes (line 2)'],
  ],
  [
    'UndefinedVar',
    'FROM busybox\nARG given\nENV A=$given B=$PAHT\nRUN $shell\nEXPOSE $ports',
    ["Usage of undefined variable '$PAHT' (did you mean $PATH?) (line 3)"],
  ],
  [
    'MultipleInstructionsDisallowed',
    'FROM busybox\nCMD ["a"]\nCMD ["b"]\nFROM busybox\nCMD ["c"]',
    ['Multiple CMD instructions should not be used in the same stage because only the last one will be used (line 2)'],
  ],
  [
    'LegacyKeyValueFormat',
    'FROM busybox\nENV a b',
    ['"ENV key=value" should be used instead of legacy "ENV key value" format (line 2)'],
  ],
  [
    'InvalidBaseImagePlatform',
    'FROM arm',
    ['Base image arm was pulled with platform "linux/arm64", expected "linux/amd64" for current build (line 1)'],
  ],
  [
    'RedundantTargetPlatform',
    'FROM --platform=$TARGETPLATFORM busybox\nFROM --platform=$TARGETOS/$TARGETARCH busybox',
    ['Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior (line 1)'],
  ],
  [
    'SecretsUsedInArgOrEnv',
    'FROM busybox\nARG API_KEY\nENV MY_TOKEN=x PUBLIC_KEY=y TOKEN_FILE=z tokenizer=1',
    [
      'Do not use ARG or ENV instructions for sensitive data (ARG "API_KEY") (line 2)',
      'Do not use ARG or ENV instructions for sensitive data (ENV "MY_TOKEN") (line 3)',
    ],
  ],
  [
    'InvalidDefaultArgInFrom',
    'ARG TAG\nFROM busybox:$TAG',
    ['Default value for ARG busybox:$TAG results in empty or invalid base image name (line 2)'],
    { buildArgs: new Map([['TAG', 'latest']]) },
  ],
  [
    'FromPlatformFlagConstDisallowed',
    'FROM --platform=linux/amd64 busybox\nFROM --platform=linux/amd64 busybox AS amd64-tools',
    ['FROM --platform flag should not use constant value "linux/amd64" (line 1)'],
  ],
  [
    'CopyIgnoredFile',
    'FROM busybox AS a\nFROM busybox\nCOPY left-out /\nADD dir/x kept /y/\nCOPY . /\nCOPY --from=a left-out /',
    [
      'Attempting to Copy file "left-out" that is excluded by .dockerignore (line 3)',
      'Attempting to Add file "dir/x" that is excluded by .dockerignore (line 4)',
    ],
    ignoring('left-out', 'dir'),
  ],
  [
    'InvalidDefinitionDescription',
    '# check=experimental=all\n\n# wrong\nARG A=1\n# B the right way\nARG B=1\n# nothing to do with it\n\nFROM busybox\n',
    ['Comment for ARG should follow the format: `# A <description>` (line 4)'],
  ],
  [
    'ExposeProtoCasing',
    'FROM busybox\nEXPOSE 80/TCP 81/udp',
    ["Defined protocol '80/TCP' in EXPOSE instruction should be lowercase (line 2)"],
  ],
  [
    'ExposeInvalidFormat',
    'FROM busybox\nEXPOSE 8080:80',
    ["EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80' (line 2)"],
  ],
];

for (const [rule, text, details, given] of CASES) {
  test(`${rule} is found, and only it`, async () => {
    assert.deepEqual(
      await found(text, given),
      details.map((detail) => `${rule}: ${detail}`),
    );
  });
}

test('every rule has a case here, a page and words', () => {
  assert.deepEqual(RULES.map(({ name }) => name).toSorted(), CASES.map(([rule]) => rule).toSorted());
  const pages = new Map(RULES.map(({ name, url }) => [name, url]));
  assert.equal(pages.get('JSONArgsRecommended'), 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/');
  assert.equal(pages.get('FromAsCasing'), 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/');
  assert.equal(pages.get('InvalidBaseImagePlatform'), '');
});

test('what cannot be known for sure is not found: exceptions in .dockerignore', async () => {
  assert.deepEqual(await found('FROM busybox\nCOPY a /', ignoring('*', '!b')), []);
  assert.equal((await found('FROM busybox\nCOPY . /', ignoring('*'))).length, 1);
});

test('the check directive, the build argument and remarks above an instruction leave checks out', async () => {
  const body = 'FROM busybox\nCMD a\nMAINTAINER x\n';
  const skipping = (text: string) => found(`# check=${text}\n${body}`);
  assert.equal((await found(body)).length, 2);
  assert.deepEqual(await skipping('skip=all'), []);
  assert.equal((await skipping('skip=JSONArgsRecommended, Nothing')).length, 1);
  const given = { buildArgs: new Map([['BUILDKIT_DOCKERFILE_CHECK', 'skip=MaintainerDeprecated']]) };
  assert.equal((await found(`# check=skip=all\n${body}`, given)).length, 1);
  const remark = 'FROM busybox\n# check=skip=JSONArgsRecommended as it is meant\nCMD a\nENTRYPOINT b';
  assert.deepEqual(
    (await found(remark)).map((text) => text.split(':')[0]),
    ['JSONArgsRecommended'],
  );
  assert.equal((await found('# check=experimental=all;skip=all\n# what\nFROM busybox AS a')).length, 1);
});

test('error=true makes findings the error of the build, after all of them are told', async () => {
  await assert.rejects(found('# check=error=true\nFROM busybox\nCMD a\nENTRYPOINT b'), (error) => {
    assert.ok(error instanceof DockerfileError);
    assert.equal(error.message, 'lint violation found for rules: JSONArgsRecommended');
    return true;
  });
  await found('# check=error=true\nFROM busybox');
  await found('# check=skip=JSONArgsRecommended;error=true\nFROM busybox\nCMD a');
});

test('parseCheckOptions() refuses what it does not know', () => {
  for (const text of ['foo=bar', 'error=maybe', 'error', 'skip=a;b']) {
    assert.throws(() => parseCheckOptions(text), DockerfileError);
  }
  assert.deepEqual(parseCheckOptions(' '), { skip: new Set(), experimental: new Set(), error: false });
});

const inspect = async (kind: Parameters<typeof inspectDockerfile>[0], text: string, given: Partial<PlanOptions> = {}) =>
  inspectDockerfile(kind, { filename: 'Dockerfile', text }, options(given));

test('a lint tells findings and the error that stops the build, with their lines', async () => {
  const answer = await inspect('lint', 'FROM busybox\nCMD a\nEXPOSE nothing\n');
  const { warnings, buildError, sources } = JSON.parse(answer['result.json'] ?? '');
  assert.equal(warnings[0].ruleName, 'JSONArgsRecommended');
  assert.deepEqual(warnings[0].location, { ranges: [{ start: { line: 2 }, end: { line: 2 } }] });
  assert.equal(buildError.message, 'invalid containerPort: nothing');
  assert.deepEqual(buildError.location.ranges[0].start, { line: 3 });
  assert.equal(sources[0].filename, 'Dockerfile');
  assert.match(answer['result.txt'] ?? '', /WARNING: JSONArgsRecommended - https[^\n]*\n[\s\S]*2 \| >>> CMD a/);
  assert.equal(answer['result.statuscode'], '1');
  assert.equal((await inspect('lint', 'FROM busybox'))['result.statuscode'], '0');
});

test('an outline tells what the target takes: arguments with their values, secrets and agents', async () => {
  const text = `# V which one
ARG V=1
ARG T=x\${V}y
ARG UNUSED=1
FROM busybox:$T AS base
ARG INNER
RUN --mount=type=secret,id=token,required --mount=type=ssh true
# out what comes out
FROM base AS out
ARG V
FROM busybox AS other
ARG NOT_THIS
`;
  const answer = await inspect('outline', text, { target: 'out', buildArgs: new Map([['INNER', '<b>']]) });
  const outline = JSON.parse(answer['result.json'] ?? '');
  assert.equal(outline.name, 'out');
  assert.equal(outline.description, 'what comes out');
  assert.deepEqual(
    outline.args.map(({ name, value, description }: Record<string, string>) => [name, value, description]),
    [
      ['V', '1', 'which one'],
      ['T', 'x1y', undefined],
      ['INNER', '<b>', undefined],
    ],
  );
  assert.deepEqual(
    [outline.secrets[0].name, outline.secrets[0].required, outline.ssh[0].name],
    ['token', true, 'default'],
  );
  assert.doesNotMatch(answer['result.json'] ?? '', /[<>]/);
  assert.match(answer['result.txt'] ?? '', /^TARGET:\s+out\n/);
  assert.match(answer['result.txt'] ?? '', /V {11}1 {7}which one\n/);
});

test('targets are the stages of the file, the last one the default', async () => {
  const answer = await inspect('targets', '# a the first\nFROM busybox AS a\nFROM --platform=$BUILDPLATFORM scratch');
  const { targets } = JSON.parse(answer['result.json'] ?? '');
  assert.deepEqual(
    targets.map(({ location: _location, ...rest }: Record<string, unknown>) => rest),
    [
      { name: 'a', description: 'the first', base: 'busybox' },
      { default: true, base: 'scratch', platform: '$BUILDPLATFORM' },
    ],
  );
  assert.equal(answer['result.txt'], 'TARGET    DESCRIPTION\na         the first\n(default) \n');
  assert.match((await inspect('describe', ''))['result.txt'] ?? '', /^NAME +VERSION DESCRIPTION\noutline /);
});
