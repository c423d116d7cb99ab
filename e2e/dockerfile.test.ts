import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { Buildx } from './lib/buildx.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const buildx = new Buildx(daemon);
before(() => buildx.prepare());

const show = (image: string, script: string) =>
  daemon().ok('run', '--rm', '--network', 'none', '--entrypoint', 'sh', image, '-c', script);

const ROUGH = `FROM ${BUSYBOX} AS Base
# check=skip=MaintainerDeprecated for the sake of it
MAINTAINER me
CMD echo hello
COPY left-out /
`;

test('checks are told in a build, and by --check, which fails over them', async () => {
  const files = { Dockerfile: ROUGH, '.dockerignore': 'left-out\n', 'left-out': '' };
  const built = await buildx.try(files);
  assert.notEqual(built.code, 0);
  // A client that has drawn the end of the vertex already tells of its warnings only at the end of all.
  assert.match(built.output, / - StageNameCasing: Stage name 'Base' should be lowercase \(line 1\)/);
  assert.match(built.output, /3 warnings found/);
  assert.match(
    built.output,
    / - CopyIgnoredFile: Attempting to Copy file "left-out" that is excluded by .dockerignore \(line 5\)/,
  );
  const checked = await buildx.try(files, '--check');
  assert.equal(checked.code, 1, checked.output);
  assert.match(checked.output, /Check complete, 3 warnings have been found!/);
  assert.match(
    checked.output,
    /WARNING: JSONArgsRecommended - https:[^\n]*json-args-recommended\/\n[\s\S]*4 \| >>> CMD echo hello/,
  );
  const clean = await buildx.try({ Dockerfile: `FROM ${BUSYBOX}\nCMD ["sh"]\n` }, '--check');
  assert.equal(clean.code, 0, clean.output);
  assert.match(clean.output, /no warnings found/);
  const given = ['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=error=true;skip=CopyIgnoredFile'];
  const failed = await buildx.try(files, ...given);
  assert.match(failed.output, /lint violation found for rules: StageNameCasing, JSONArgsRecommended/);
});

test('--call tells the outline and the targets of a Dockerfile', async () => {
  const Dockerfile = `# VERSION which one
ARG VERSION=1
FROM ${BUSYBOX} AS base
ARG VERSION
RUN --mount=type=secret,id=token,required true
# run what is started
FROM base AS run
`;
  const outline = await buildx.try({ Dockerfile }, '--call', 'outline');
  assert.equal(outline.code, 0, outline.output);
  assert.match(outline.output, /TARGET: +run\n/);
  assert.match(outline.output, /DESCRIPTION: +what is started/);
  assert.match(outline.output, /VERSION +1 +which one/);
  assert.match(outline.output, /token +true/);
  const targets = await buildx.try({ Dockerfile }, '--call', 'targets,format=json');
  assert.match(
    targets.output,
    /"name": "run",\s+"default": true,\s+"description": "what is started",\s+"base": "base"/,
  );
  assert.match(
    (await buildx.try({ Dockerfile }, '--call', 'nonsense')).output,
    /unsupported request frontend.nonsense/,
  );
});

test('the language: variables, heredocs, copies, mounts, triggers and configuration', async () => {
  const image = uniqueName('language');
  const secret = buildx.place();
  writeFileSync(secret, 'sesame');
  const Dockerfile =
    `# syntax=docker/dockerfile:1
# escape=\`
# check=skip=all
ARG BASE=${BUSYBOX}
FROM $BASE AS parent
ONBUILD ARG FROM_TRIGGER=yes
ONBUILD RUN echo $FROM_TRIGGER >/trigger
FROM parent
ARG NAME=archive.tar.gz TARGETARCH
ENV STEM=\${NAME%%.*} TYPE=\${NAME#*.} SWAPPED=\${NAME//a/o} UNSET=\${NOTHING:-default} ARCH=\${TARGETARCH:+known}
COPY --parents --exclude=**/h tree/./d a /parents/
COPY --chmod=u=rwx,go=X --chown=7:8 a /modes/deep/a
COPY <<FIRST <<-"SECOND" /here/
$STEM
FIRST
	$STEM
SECOND
RUN <<EOF
echo "$STEM" >/script
EOF
RUN --mount=type=secret,id=word,env=WORD --mount=type=secret,id=word,target=/w,mode=0444 ` +
    '`' +
    `
  test "$WORD" = sesame && test "$(cat /w)" = sesame
RUN --mount=type=ssh test ! -e "$SSH_AUTH_SOCK"
RUN --mount=type=cache,target=/c,from=parent,source=/etc,uid=3,mode=0750 test -e /c/passwd
RUN --mount=type=tmpfs,target=/t,size=1m --mount=target=/ctx,rw --network=none touch /t/x /ctx/y
WORKDIR /work
WORKDIR in
EXPOSE $NOTHING 80 100-102/udp
VOLUME /data
LABEL of="two words" __proto__=kept
HEALTHCHECK --interval=5s --start-interval=1s --retries=2 CMD true
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-ec"]
CMD echo $STEM
USER 5:6
`;
  const files = { Dockerfile, a: 'a', 'tree/d/kept': '', 'tree/d/h': '', 'tree/d/wish': '' };
  await buildx.build(files, '-t', image, '--secret', `id=word,src=${secret}`);
  assert.equal(
    await show(
      image,
      'cd /; cat trigger script here/FIRST here/SECOND; echo $STEM $TYPE $SWAPPED $UNSET $ARCH; find parents -type f | sort; stat -c "%a %u %g" modes/deep modes/deep/a; ls -d /w /c /t /ctx /run/secrets 2>/dev/null; pwd; id -u',
    ),
    [
      ...['yes', 'archive', 'archive', '$STEM', 'archive tar.gz orchive.tor.gz default known'],
      ...['parents/a', 'parents/d/kept', 'parents/d/wish', '755 7 8', '711 7 8', '/', '5'],
    ].join('\n'),
  );
  const config = JSON.parse(await daemon().ok('inspect', '-f', '{{json .Config}}', image));
  assert.deepEqual(Object.keys(config.ExposedPorts).toSorted(), ['100/udp', '101/udp', '102/udp', '80/tcp']);
  assert.deepEqual(config.Cmd, ['/bin/sh', '-ec', 'echo $STEM']);
  assert.deepEqual([config.WorkingDir, config.User, config.StopSignal], ['/work/in', '5:6', 'SIGINT']);
  assert.deepEqual([config.Labels.of, Object.hasOwn(config.Labels, '__proto__')], ['two words', true]);
  assert.deepEqual(config.Healthcheck, {
    ...{ Test: ['CMD-SHELL', 'true'], Interval: 5_000_000_000, StartInterval: 1_000_000_000, Retries: 2 },
  });
});

const FAULTS: readonly (readonly [string, RegExp])[] = [
  ['COPPY a b', /2 \| >>> COPPY a b[\s\S]*unknown instruction: COPPY \(did you mean COPY\?\)/],
  ['COPY --chwon=1 a b', /unknown flag: --chwon \(did you mean chown\?\)/],
  ['RUN --mount=type=chache,target=/c x', /unsupported mount type "chache" \(did you mean cache\?\)/],
  [
    'COPY --from=nosuch.invalid/x:1 / /',
    /2 \| >>> COPY[\s\S]*nosuch.invalid\/x:1: failed to resolve source metadata for nosuch.invalid\/x:1/,
  ],
  ['RUN --network=host true', /2 \| >>> RUN[\s\S]*network.host is not allowed/],
  ['RUN --security=insecure true', /security.insecure is not allowed/],
  [
    'USER nosuch\nRUN id',
    /3 \| >>> RUN id[\s\S]*process "\/bin\/sh -c id" did not complete successfully: unable to find user nosuch/,
  ],
  [`ENV A=${'x'.repeat(70_000)}`, /dockerfile line greater than max allowed size of 65535/],
];

test('faults are shown with their lines, and what was meant', async () => {
  for (const [line, expected] of FAULTS) {
    const result = await buildx.try({ Dockerfile: `FROM ${BUSYBOX}\n${line}\n` });
    assert.notEqual(result.code, 0);
    assert.match(result.output, expected);
    assert.doesNotMatch(result.output, /failed to solve: [A-Z]\w+: /);
  }
  const copy = (name: string) => ({
    Dockerfile: `FROM ${BUSYBOX}\nCOPY ${name} /\n`,
    'package.json': '',
    '.dockerignore': 'out*\n!outer\n',
    output: '',
  });
  const near = await buildx.try(copy('packge.json'));
  assert.match(near.output, /"\/packge.json": not found \(did you mean "\/package.json"\?\)/);
  const ignored = await buildx.try(copy('output'));
  assert.match(ignored.output, /"\/output": not found: it is there, but excluded by .dockerignore/);
  const target = await buildx.try({ Dockerfile: `FROM ${BUSYBOX} AS build\n` }, '--target', 'biuld');
  assert.match(target.output, /target stage "biuld" could not be found \(did you mean build\?\)/);
});

test('what a build may do beyond the usual is asked for by the client and allowed by the daemon', async () => {
  const host = await buildx.try(
    { Dockerfile: `FROM ${BUSYBOX}\nRUN --network=host true\n` },
    '--allow',
    'network.host',
  );
  assert.equal(host.code, 0, host.output);
  const insecure = await buildx.try({ Dockerfile: `FROM ${BUSYBOX}\nRUN true\n` }, '--allow', 'security.insecure');
  assert.match(insecure.output, /granting entitlement security.insecure is not allowed by build daemon configuration/);
});
