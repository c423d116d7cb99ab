import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { type PlanOptions, planBuild } from './plan.ts';
import type { BaseImage, Vertex } from './vertex.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const IMAGE: BaseImage = {
  reference: 'base:1',
  platform: PLATFORM,
  config: {
    ...PLATFORM,
    created: '2020-01-01T00:00:00Z',
    config: { Env: ['PATH=/bin', 'FROM_BASE=yes'], Cmd: ['old'], OnBuild: ['COPY . /trigger', 'ENV T=$FROM_BASE'] },
    rootfs: { type: 'layers', diff_ids: ['sha256:aa'] as unknown as BaseImage['diffIds'] },
    history: [{ created: '2020-01-01T00:00:00Z', created_by: 'base' }],
  },
  chainId: 'sha256:aa' as BaseImage['chainId'],
  diffIds: ['sha256:aa'] as unknown as BaseImage['diffIds'],
  layers: [{ mediaType: 'x', digest: 'sha256:aa' as BaseImage['layers'][number]['digest'], size: 1 }],
};

function plan(text: string, options: Partial<PlanOptions> = {}) {
  return planBuild(parseDockerfile(text), {
    buildArgs: new Map(),
    buildPlatform: PLATFORM,
    targetPlatform: PLATFORM,
    labels: {},
    noCache: false,
    resolveImage: async (reference) => {
      if (reference !== 'base:1') throw new WharfError('not-found', `no ${reference}`);
      return IMAGE;
    },
    ...options,
  });
}

async function configOf(text: string, options?: Partial<PlanOptions>) {
  return (await plan(text, options)).target.draft.config;
}

test('planBuild() gives arguments their values: --build-arg, defaults, globals, and ENV over them', async () => {
  const text = 'ARG A=global\nFROM scratch\nARG A\nARG B=${A}-b\nENV C=$A/$B\nARG UNSET\nENV D=[$UNSET]';
  assert.deepEqual((await configOf(text)).Env?.slice(1), ['C=global/global-b', 'D=[]']);
  const given = await configOf(text, {
    buildArgs: new Map([
      ['B', 'x'],
      ['UNSET', 'y'],
    ]),
  });
  assert.deepEqual(given.Env?.slice(1), ['C=global/x', 'D=[y]']);
});

test('planBuild() knows the platforms and the stage', async () => {
  const { Env } = await configOf('FROM scratch AS s\nARG TARGETARCH\nARG TARGETSTAGE\nENV X=$TARGETARCH-$TARGETSTAGE', {
    target: 's',
  });
  assert.equal(Env?.at(-1), 'X=amd64-s');
});

test('planBuild() runs the triggers of the base first, and drops them', async () => {
  const { target } = await plan('FROM base:1\nRUN x');
  assert.deepEqual(
    target.steps.map(({ text }) => text),
    ['COPY . /trigger', 'ENV T=$FROM_BASE', 'RUN x'],
  );
  assert.equal(target.draft.config.OnBuild, undefined);
  assert.ok(target.draft.config.Env?.includes('T=yes'));
});

test('planBuild() clears the command of the base where the entry point is new', async () => {
  assert.equal((await configOf('FROM base:1\nENTRYPOINT ["e"]')).Cmd, undefined);
  assert.deepEqual((await configOf('FROM base:1\nCMD c\nENTRYPOINT ["e"]')).Cmd, ['/bin/sh', '-c', 'c']);
  assert.deepEqual((await configOf('FROM base:1\nSHELL ["sh2","-x"]\nCMD c')).Cmd, ['sh2', '-x', 'c']);
});

test('planBuild() evaluates only the stages that the target needs', async () => {
  const text = 'FROM base:1 AS a\nFROM nowhere AS b\nFROM a AS c\nCOPY --from=0 /x /y\nFROM b';
  const { stages, target } = await plan(text, { target: 'c' });
  assert.deepEqual(
    stages.map(({ stage }) => stage.name),
    ['a', 'c'],
  );
  assert.equal(target.stage.name, 'c');
  await assert.rejects(plan(text), /no nowhere/);
});

test('planBuild() takes files from earlier stages only', async () => {
  const rest = '\nFROM base:1 AS late\nFROM early';
  await assert.rejects(plan(`FROM base:1 AS early\nCOPY --from=late /x /y${rest}`), {
    message: /cannot copy from stage "late", it needs to be defined before current stage "early"/,
  });
  await assert.rejects(plan(`FROM base:1 AS early\nRUN --mount=from=late,target=/m x${rest}`), {
    message: /cannot mount from stage "late" to "\/m", stage needs to be defined before current command/,
  });
});

test('planBuild() joins working directories and resolves what is relative to them', async () => {
  const { target } = await plan(
    'FROM scratch\nWORKDIR /a\nWORKDIR b/../c\nCOPY x y/\nRUN --mount=type=cache,target=cache z',
  );
  const run = target.tree as Extract<Vertex, { kind: 'run' }>;
  assert.deepEqual([run.cwd, run.mounts[0]?.target], ['/a/c', '/a/c/cache']);
  const copy = run.base as Extract<Vertex, { kind: 'file' }>;
  assert.deepEqual(
    copy.actions.map((action) => action.kind === 'copy' && [action.path, action.destination]),
    [['/x', '/a/c/y/']],
  );
});

test('planBuild() puts heredocs into the command, or makes a script of one that names its interpreter', async () => {
  const run = async (text: string) =>
    (await plan(`FROM scratch\n${text}`)).target.tree as Extract<Vertex, { kind: 'run' }>;
  assert.deepEqual((await run('RUN <<E\na\nb\nE')).args, ['/bin/sh', '-c', 'a\nb\n']);
  assert.deepEqual((await run('RUN cat <<E | sort\na\nE')).args, ['/bin/sh', '-c', 'cat <<E | sort\na\nE']);
  const script = await run('RUN <<E\n#!/bin/python\nx\nE');
  assert.deepEqual(script.args, ['/bin/sh', '-c', '/dev/pipes/E']);
  assert.equal(script.mounts[0]?.sourceVertex?.kind, 'inline');
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  [
    'FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nCOPY --from=a / /',
    /circular dependency detected on stage: [ab]/,
  ],
  ['FROM ${NOTHING}', /base name \(\$\{NOTHING\}\) should not be blank/],
  ['FROM scratch\nCOPY --from=$X / /', /variable expansion is not supported for --from/],
  ['FROM scratch\nCOPY --chmod=9 a b', /invalid chmod parameter: '9'/],
  ['FROM scratch\nCOPY http://x/y b', /source can't be a URL for COPY/],
  ['FROM scratch\nRUN --mount=type=cache x', /invalid mount target "\/"/],
  ['FROM scratch\nRUN --security=insecure x', /security\.insecure is not allowed/],
  ['FROM scratch\nEXPOSE 80/xyz', /invalid port: "80\/xyz": invalid proto: xyz/],
  ['FROM scratch\nSTOPSIGNAL NOSUCH', /NOSUCH/],
  ['FROM scratch\nENV A=${B:?needed}', /B: needed/],
];

for (const [text, message] of REFUSED) {
  test(`planBuild() refuses ${JSON.stringify(text.split('\n').at(-1))}`, async () =>
    assert.rejects(plan(text), message));
}

test('ImageDraft.finish() takes times from layers and the base only', async () => {
  const { target } = await plan('FROM base:1\nRUN x\nENV A=b');
  const first = target.draft.finish([
    { diffId: 'sha256:aa' as BaseImage['diffIds'][number] },
    ...['1', '2'].map((n) => ({
      diffId: `sha256:${n}` as BaseImage['diffIds'][number],
      createdAt: `2021-01-0${n}T00:00:00Z`,
    })),
  ]);
  assert.equal(first.created, '2021-01-02T00:00:00Z');
  assert.deepEqual(
    first.history?.map(({ created, empty_layer }) => [created?.slice(0, 10), empty_layer === true]),
    [
      ['2020-01-01', false],
      ['2021-01-01', false],
      ['2021-01-01', true],
      ['2021-01-02', false],
      ['2021-01-02', true],
    ],
  );
});

test('ImageDraft.finish() gives an image without any layer or base no times', async () => {
  const { target } = await plan('FROM scratch\nLABEL a=b');
  const { created, history } = target.draft.finish([]);
  assert.equal(created, undefined);
  assert.deepEqual(history, [{ created_by: 'LABEL a=b', comment: 'buildkit.dockerfile.v0', empty_layer: true }]);
});

test("planBuild() makes of RUN what Docker's classic builder does, where that is asked for", async () => {
  const text = 'FROM base:1\nARG b=2\nARG a\nARG none\nARG e\nENV e=f\nRUN []\nRUN x';
  const { target } = await plan(text, { classic: true, buildArgs: new Map([['a', '1']]) });
  const [first, second] = target.draft.history.slice(-2);
  assert.equal(first?.created_by, '|2 a=1 b=2');
  assert.equal(second?.created_by, '|2 a=1 b=2 /bin/sh -c x');
  const { tree } = target;
  assert.deepEqual(tree?.kind === 'run' && tree.base?.kind === 'run' && tree.base.args, ['old']);
  await assert.rejects(plan('FROM scratch\nRUN []', { classic: true }), /arguments are required/);
});
