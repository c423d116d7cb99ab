import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import { applyChanges } from './changes.ts';

test('applyChanges() knows the exec and the shell form', () => {
  assert.deepEqual(applyChanges({}, ['CMD ["a", "b c"]', 'ENTRYPOINT run it']), {
    Cmd: ['a', 'b c'],
    Entrypoint: ['/bin/sh', '-c', 'run it'],
  });
  assert.deepEqual(applyChanges({ Shell: ['/bin/bash', '-c'] }, ['CMD [not json']).Cmd, [
    '/bin/bash',
    '-c',
    '[not json',
  ]);
});

test('applyChanges() lets ENTRYPOINT clear an inherited CMD, not one among the changes', () => {
  assert.deepEqual(applyChanges({ Cmd: ['old'] }, ['ENTRYPOINT ["e"]']), { Entrypoint: ['e'] });
  assert.deepEqual(applyChanges({ Cmd: ['old'] }, ['CMD ["new"]', 'ENTRYPOINT ["e"]']), {
    Cmd: ['new'],
    Entrypoint: ['e'],
  });
});

test('applyChanges() sets variables and labels in every form', () => {
  const config = applyChanges({ Env: ['A=0', 'PATH=/bin'] }, [
    'ENV A=1 B="two words" C=th\\ ree',
    'ENV D four five',
    "LABEL a.b=$A 'single quoted'=x long=\"${MISSING:-default} ${A:+set}\" raw='$A'",
    'env E=${PATH}:/sbin',
  ]);
  assert.deepEqual(config.Env, ['A=1', 'PATH=/bin', 'B=two words', 'C=th ree', 'D=four five', 'E=/bin:/sbin']);
  assert.deepEqual(config.Labels, { 'a.b': '1', 'single quoted': 'x', long: 'default set', raw: '$A' });
});

test('applyChanges() reads continuation lines and comments', () => {
  assert.deepEqual(applyChanges({}, ['ENV A=1 \\\n# a comment\n  B=2', '', '# only a comment']).Env, ['A=1', 'B=2']);
});

test('applyChanges() expands ports', () => {
  assert.deepEqual(applyChanges({ Env: ['P=80 443/udp'] }, ['EXPOSE $P 8000-8002/TCP']).ExposedPorts, {
    '80/tcp': {},
    '443/udp': {},
    '8000/tcp': {},
    '8001/tcp': {},
    '8002/tcp': {},
  });
});

test('applyChanges() takes the single-valued instructions', () => {
  const config = applyChanges({ WorkingDir: '/a' }, [
    'WORKDIR b',
    'WORKDIR ../c',
    'USER 1:2',
    'STOPSIGNAL SIGUSR1',
    'VOLUME /v /w',
    'VOLUME ["/x y"]',
    'ONBUILD RUN make',
  ]);
  assert.deepEqual(config, {
    WorkingDir: '/a/c',
    User: '1:2',
    StopSignal: 'SIGUSR1',
    Volumes: { '/v': {}, '/w': {}, '/x y': {} },
    OnBuild: ['RUN make'],
  });
});

test('applyChanges() reads health checks', () => {
  const health = (text: string) => applyChanges({}, [`HEALTHCHECK ${text}`]).Healthcheck;
  assert.deepEqual(health('NONE'), { Test: ['NONE'] });
  assert.deepEqual(health('CMD curl -f x'), { Test: ['CMD-SHELL', 'curl -f x'] });
  assert.deepEqual(health('--interval=5s --timeout=1m --start-period=0s --retries=3 CMD ["a","b"]'), {
    Test: ['CMD', 'a', 'b'],
    Interval: 5e9,
    Timeout: 6e10,
    StartPeriod: 0,
    Retries: 3,
  });
});

test('applyChanges() leaves the config it is given alone', () => {
  const config = Object.freeze({ Env: Object.freeze(['A=1']), Labels: Object.freeze({ a: 'b' }) });
  applyChanges(config, ['ENV A=2', 'LABEL a=c']);
  assert.deepEqual(config, { Env: ['A=1'], Labels: { a: 'b' } });
});

for (const [change, message] of [
  ['RUN x', 'RUN is not a valid change command'],
  ['from x', 'from is not a valid change command'],
  ['ENV', 'ENV requires at least one argument'],
  ['ENV a', 'ENV must have two arguments'],
  ['ENV a=1 b', `Syntax error - can't find = in "b". Must be of the form: name=value`],
  ['ENV =x', 'ENV names can not be blank'],
  ['EXPOSE x', 'invalid containerPort: x'],
  ['EXPOSE 1/icmp', 'invalid proto: icmp'],
  ['EXPOSE 70000', 'invalid containerPort: 70000'],
  ['USER a b', 'USER requires exactly one argument'],
  ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
  ['HEALTHCHECK x', 'Unknown type "X" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
] as const) {
  test(`applyChanges() refuses "${change}"`, () => {
    assert.throws(
      () => applyChanges({}, [change]),
      (error) => isKind(error, 'invalid-argument') && error.message === message,
    );
  });
}
