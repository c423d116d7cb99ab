import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { run } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { clientEnvironment, dockerCli } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const buildx = new Buildx(daemon);
before(() => buildx.prepare());

async function history(...args: readonly string[]): Promise<string> {
  const result = await buildx.run('history', ...args);
  assert.equal(result.code, 0, result.output);
  return result.stdout;
}

async function refs(...filters: readonly string[]): Promise<readonly string[]> {
  const listed = await history('ls', '--format', '{{.Ref}}', ...filters.flatMap((each) => ['--filter', each]));
  return listed.split('\n').filter((line) => line !== '');
}

interface Inspected {
  readonly Status: string;
  readonly NumCompletedSteps: number;
  readonly NumTotalSteps: number;
  readonly BuildArgs?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Error?: { readonly Message: string; readonly Name?: string; readonly Logs?: readonly string[] };
  readonly Materials?: readonly { readonly URI: string; readonly Digests: readonly string[] }[];
  readonly Attachments?: readonly { readonly Type: string }[];
}

async function inspect(ref: string): Promise<Inspected> {
  return JSON.parse(await history('inspect', '--format', 'json', ref)) as Inspected;
}

test('a build is recorded with its arguments, steps, log and how it came to be', async () => {
  const word = uniqueName('said');
  const before = new Set(await refs());
  const files = { Dockerfile: `FROM ${BUSYBOX}\nARG WHO\nRUN echo ${word} $WHO\n` };
  await buildx.build(files, '-t', uniqueName('image'), '--build-arg', 'WHO=me');
  const [ref = '', ...more] = (await refs()).filter((each) => !before.has(each));
  assert.deepEqual(more, []);
  const record = await inspect(ref);
  assert.equal(record.Status, 'completed');
  assert.equal(record.NumCompletedSteps, record.NumTotalSteps);
  assert.deepEqual(record.BuildArgs, [{ Name: 'WHO', Value: 'me' }]);
  assert.match(record.Materials?.[0]?.URI ?? '', /^pkg:docker\/busybox@.*platform=linux%2F/);
  assert.match(record.Materials?.[0]?.Digests[0] ?? '', /^sha256:/);
  const logs = await buildx.run('history', 'logs', ref);
  assert.match(logs.output, new RegExp(`${word} me`));
  const provenance = JSON.parse(await history('inspect', 'attachment', '--type', 'provenance', ref)) as {
    readonly buildDefinition: { readonly internalParameters: { readonly buildConfig: object } };
  };
  assert.match(JSON.stringify(provenance.buildDefinition.internalParameters.buildConfig), new RegExp(word));
  const bundle = buildx.place();
  await history('export', '--output', bundle, ref);
  assert.equal(existsSync(bundle), true);
});

test('a build of the classic protocol is recorded, too', async () => {
  const word = uniqueName('classic');
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo ${word}\n` });
  const result = await run([await dockerCli(), 'build', folder], {
    env: { ...clientEnvironment(daemon().host), DOCKER_BUILDKIT: '0' },
    timeoutMs: 60_000,
  });
  assert.equal(result.code, 0, result.output);
  const [ref = ''] = await refs();
  assert.equal((await inspect(ref)).Status, 'completed');
  assert.match((await buildx.run('history', 'logs', ref)).output, new RegExp(word));
});

test('a failed build is recorded with its error, the lines it lies on and the log of the step', async () => {
  const failed = await buildx.try({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo the-reason; exit 7\n` });
  assert.notEqual(failed.code, 0);
  const [ref = ''] = await refs('status=error');
  const record = await inspect(ref);
  assert.equal(record.Status, 'failed');
  assert.match(record.Error?.Message ?? '', /exit code: 7/);
  assert.match((record.Error?.Logs ?? []).join('\n'), /the-reason/);
  assert.match(await history('inspect', ref), />>> RUN echo the-reason/);
});

test('what one step says beyond two megabytes is left out, and it is said so', async () => {
  const line = 'a line of sixty-four bytes, with which a log is filled in no time';
  const result = await buildx.build({
    Dockerfile: `FROM ${BUSYBOX}\nRUN yes "${line}" | head -c 6000000; echo the-end\n`,
  });
  assert.match(result, /output clipped, log limit 2MiB reached/);
  assert.equal(result.length < 4_000_000, true);
});

test('records survive a restart; a build that a crash interrupted is marked so; records can be removed', async () => {
  const [known = ''] = await refs();
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nRUN sleep 300\n` });
  const child = spawn(buildx.path, ['build', folder], { env: buildx.environment, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await eventually('the build to run', async () => (await refs('status=running')).length === 1);
  const [running = ''] = await refs('status=running');
  await daemon().kill();
  await ended;
  await daemon().start();
  const interrupted = await inspect(running);
  assert.equal(interrupted.Status, 'failed');
  assert.match(interrupted.Error?.Message ?? '', /daemon ended/);
  assert.equal((await refs()).includes(known), true);
  await history('rm', known);
  assert.equal((await refs()).includes(known), false);
  await history('rm', '--all');
  assert.deepEqual(await refs(), []);
});

/** Runs a command on a terminal of 21 lines and types into it: each text when the one before it in the pair was shown. */
async function onTerminal(
  line: string,
  typed: readonly (readonly [shown: RegExp, text: string])[],
  extra: Readonly<Record<string, string>>,
): Promise<string> {
  const env = { ...buildx.environment, TERM: 'dumb', ...extra };
  const child = spawn('script', ['-qec', `stty rows 21 cols 61; ${line}`, '/dev/null'], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  try {
    for (const [shown, text] of typed) {
      await eventually(`${shown.source} in what the client shows`, async () => shown.test(output));
      child.stdin.write(text);
    }
    await eventually('the client to end', async () => output.includes('failed to solve'));
  } finally {
    child.kill();
    await closed;
  }
  return output.replaceAll('\r', '');
}

const FAILING = `FROM ${BUSYBOX}
WORKDIR /work
RUN --mount=type=cache,target=/cache echo made >left; exit 9
`;

test('buildx debug opens a shell in the step that failed, as it was left', async () => {
  const folder = buildx.context({ Dockerfile: FAILING });
  const shown = await onTerminal(
    `${buildx.path} debug --invoke=/bin/sh --on=error build ${folder}`,
    [
      [
        /Interactive container was restarted/,
        'cat /work/left; test -t 0 && echo t-$((1+1)); test -d /cache && echo c-$((1+1))\n',
      ],
      // What buildx shows then is a console of its own, which runs other commands beside the shell.
      [/c-2/, '\u0001c'],
      [/\(buildx\) /, 'exec sh -c "kill -0 1 && cat /work/left | tr a-z A-Z"\n'],
      [/MADE[\s\S]*\(buildx\) /, 'exit\n'],
    ],
    { BUILDX_EXPERIMENTAL: '1' },
  );
  assert.match(shown, /made\nt-2\nc-2\n[\s\S]*MADE\n/);
  await eventually('the build to end', async () => (await refs('status=running')).length === 0);
});

test('a shell in a failed step has the size of its client’s window', async () => {
  const folder = buildx.context({ Dockerfile: FAILING });
  const shown = await onTerminal(
    `${join(ROOT, 'bin/wharf')} build --on-error shell ${folder}`,
    [[/exit to end the build/, 'until stty size | grep "21 61"; do :; done; echo it-is-$((1+1)); exit\n']],
    {},
  );
  assert.match(shown, /21 61\nit-is-2\n/);
});

test('a client that dies in such a shell takes it along', async () => {
  const folder = buildx.context({ Dockerfile: FAILING });
  const child = spawn(join(ROOT, 'bin/wharf'), ['build', '--on-error', 'shell', folder], {
    env: buildx.environment,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stdin.write('echo here-$((1+1)); sleep 321\n');
  await eventually('the shell to run', async () => output.includes('here-2'));
  child.kill('SIGKILL');
  await closed;
  await eventually('the command to end', async () => (await run(['pgrep', '-f', 'sleep 321'])).code !== 0);
  await eventually('the build to end', async () => (await refs('status=running')).length === 0);
});
