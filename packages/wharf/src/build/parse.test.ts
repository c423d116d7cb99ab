import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from '../cli/errors.ts';
import { parseLine } from '../cli/parse-line.ts';
import { annotationAttributes, frontendAttributes, questionOf } from './attributes.ts';
import { BUILD_FLAGS } from './build-flags.ts';
import type { BuildValues } from './build-values.ts';
import { planCaches } from './cache-options.ts';
import { csvFields } from './csv.ts';
import { readIndex, updateIndex } from './layout-index.ts';
import { parseAgents, parseSecrets, secretValue } from './loans.ts';
import { viewKind } from './open-view.ts';
import { planOutputs } from './outputs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-build-parse-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const valuesOf = (...line: readonly string[]) =>
  ({ json: false, ...parseLine(BUILD_FLAGS, line, { interspersed: true }).values }) as unknown as BuildValues;
const attributesOf = (line: readonly string[], env = {}, proxies = {}) =>
  frontendAttributes(valuesOf(...line), { env, proxies });
const refuses = (work: () => unknown, message: RegExp) =>
  assert.throws(work, (error) => error instanceof UsageError && message.test(error.message));

test('csvFields() reads quotes as RFC 4180 has them', () => {
  assert.deepEqual(csvFields('a=1,"b=x,y","c=""q""",'), ['a=1', 'b=x,y', 'c="q"', '']);
  refuses(() => csvFields('"a'), /extraneous or missing " in quoted-field/);
});

test("frontendAttributes() says in BuildKit's words what the flags say", () => {
  const line = [
    '--build-arg',
    'A=1',
    '--build-arg',
    'FROM_ENV',
    '--build-arg',
    'NOT_THERE',
    '--label',
    'l',
    '--target',
    't',
  ];
  const more = [
    '--platform',
    'linux/amd64,linux/arm64',
    '--no-cache-filter',
    'a',
    '--no-cache-filter',
    'b',
    '--pull',
    '--network',
    'host',
  ];
  const limits = [
    '--add-host',
    'one:1.2.3.4',
    '--add-host',
    'six=[::1]',
    '--shm-size',
    '64m',
    '--ulimit',
    'nofile=10',
    '--cgroup-parent',
    '/x',
  ];
  const attests = ['--sbom', 'true', '--provenance', 'mode=max', '--attest', 'type=other,disabled=true'];
  assert.deepEqual(
    attributesOf(
      [...line, ...more, ...limits, ...attests],
      { FROM_ENV: 'e', SOURCE_DATE_EPOCH: '7' },
      { HTTP_PROXY: 'p' },
    ),
    {
      'build-arg:A': '1',
      'build-arg:FROM_ENV': 'e',
      'build-arg:SOURCE_DATE_EPOCH': '7',
      'build-arg:HTTP_PROXY': 'p',
      'label:l': '',
      target: 't',
      platform: 'linux/amd64,linux/arm64',
      'no-cache': 'a,b',
      'image-resolve-mode': 'pull',
      'force-network-mode': 'host',
      'add-hosts': 'one=1.2.3.4,six=::1',
      'shm-size': String(64 * 1024 * 1024),
      ulimit: 'nofile=10:10',
      'cgroup-parent': '/x',
      'attest:sbom': 'type=sbom',
      'attest:provenance': 'type=provenance,mode=max',
    },
  );
  assert.equal(attributesOf(['--no-cache', '--explain'])['no-cache'], '');
  refuses(() => attributesOf(['--add-host', 'x']), /invalid host x/);
  refuses(() => attributesOf(['--ulimit', 'nofile']), /invalid ulimit argument/);
  refuses(() => attributesOf(['--shm-size', 'much']), /invalid argument "much" for "--shm-size"/);
});

test('questionOf() and annotationAttributes() read their forms', () => {
  assert.equal(questionOf(valuesOf('--call', 'build')), undefined);
  assert.deepEqual(questionOf(valuesOf('--check')), {
    name: 'lint',
    id: 'frontend.lint',
    format: 'text',
    ignoreStatus: false,
  });
  assert.equal(questionOf(valuesOf('--call=outline,format=json'))?.format, 'json');
  refuses(() => questionOf(valuesOf('--call', 'dance')), /unknown method "dance"/);
  assert.deepEqual(annotationAttributes(['a=1', 'index,manifest[linux/amd64]:b=2']), {
    'annotation.a': '1',
    'annotation-index.b': '2',
    'annotation-manifest[linux/amd64].b': '2',
  });
  refuses(() => annotationAttributes(['nothing']), /invalid annotation "nothing"/);
});

test('planOutputs() reads every form of -o, and what --push and --load add', () => {
  const given = { outputs: [], tags: ['n'], push: false, load: false, isQuestion: false, isTerminal: false };
  const kinds = (more: object) =>
    planOutputs({ ...given, ...more }).exporters.map(({ type, sink }) => [type, sink?.kind]);
  assert.deepEqual(kinds({}), [['moby', undefined]]);
  assert.deepEqual(kinds({ isQuestion: true }), []);
  assert.deepEqual(kinds({ outputs: ['type=cacheonly'] }), []);
  const file = join(scratch, 'x.tar');
  assert.deepEqual(
    kinds({
      outputs: [
        'out',
        '-',
        `type=oci,dest=${file}`,
        'type=oci,tar=false,dest=d',
        'type=docker',
        'type=local,dest=o,mode=delete',
      ],
    }),
    [
      ['local', 'directory'],
      ['tar', 'stdout'],
      ['oci', 'file'],
      ['oci', 'store'],
      ['moby', undefined],
      ['local', 'directory'],
    ],
  );
  const pushed = planOutputs({ ...given, push: true, outputs: ['out'] });
  assert.deepEqual(
    pushed.exporters.map(({ type }) => type),
    ['local', 'moby'],
  );
  assert.deepEqual(pushed.push, ['n']);
  assert.deepEqual(planOutputs({ ...given, outputs: ['type=registry'] }).push, ['n']);
  refuses(() => planOutputs({ ...given, tags: [], push: true }), /tag is needed when pushing/);
  refuses(() => planOutputs({ ...given, outputs: ['dest=x,a=b'] }), /type is required/);
  refuses(() => planOutputs({ ...given, outputs: ['-'], isTerminal: true }), /refusing to write to console/);
  refuses(() => planOutputs({ ...given, outputs: ['type=tar'] }), /dest is required for tar exporter/);
  refuses(() => planOutputs({ ...given, outputs: [`type=tar,dest=${scratch}`] }), /must be a file/);
});

test('planCaches() reads places, and leaves out a local cache that is not there yet', () => {
  const at = join(scratch, 'cache');
  const none = planCaches([`type=local,src=${at}`, 'one,two'], []);
  assert.deepEqual(
    none.imports.map(({ Attrs }) => Attrs['ref']),
    ['one', 'two'],
  );
  const digest = `sha256:${'a'.repeat(64)}`;
  updateIndex(at, 'latest', { digest });
  updateIndex(at, 'other', { digest: `sha256:${'b'.repeat(64)}` });
  updateIndex(at, 'latest', { digest });
  assert.equal(readIndex(at, 'latest'), digest);
  assert.equal(
    (JSON.parse(readFileSync(join(at, 'index.json'), 'utf8')) as { manifests: unknown[] }).manifests.length,
    2,
  );
  const both = planCaches([`type=local,src=${at}`], [`type=local,dest=${at},mode=max`, 'type=inline']);
  assert.deepEqual(both.imports, [{ Type: 'local', Attrs: { src: at, digest } }]);
  assert.deepEqual([...both.stores], [[`local:${at}`, at]]);
  assert.deepEqual(
    both.exports.map(({ Type }) => Type),
    ['local', 'inline'],
  );
  assert.deepEqual(both.updates, [{ directory: at, tag: 'latest', answer: 'cache.manifest' }]);
  refuses(() => planCaches([], ['type=local']), /requires dest/);
});

test('parseSecrets() and parseAgents() find what is lent, and say what is missing', () => {
  const file = join(scratch, 'secret');
  writeFileSync(file, 'word');
  const secrets = parseSecrets([`id=a,src=${file}`, 'id=b,env=B', 'type=env,id=c', 'id=B'], { B: 'env' });
  assert.deepEqual([...secrets.keys()], ['a', 'b', 'c', 'B']);
  const text = (id: string) => {
    const source = secrets.get(id);
    return source === undefined ? undefined : secretValue(source, { B: 'env' })?.toString();
  };
  assert.deepEqual(['a', 'b', 'c', 'B'].map(text), ['word', 'env', undefined, 'env']);
  assert.throws(() => parseSecrets(['id=x,src=/nowhere'], {}), { kind: 'not-found' });
  refuses(() => parseSecrets(['src=x'], {}), /secret missing ID/);
  refuses(() => parseSecrets(['id=x,colour=red'], {}), /unexpected key 'colour'/);
  assert.deepEqual([...parseAgents([`k=${file}`], {})], [['k', { keys: [file] }]]);
  refuses(() => parseAgents(['default'], {}), /SSH_AUTH_SOCK/);
});

test('viewKind() follows the flag, then the environment, then the terminal', () => {
  const kind = (progress: string | undefined, env: object, isTerminal: boolean, quiet = false) =>
    viewKind({ progress, quiet }, { ...env }, isTerminal);
  assert.equal(kind(undefined, {}, true), 'tty');
  assert.equal(kind(undefined, {}, false), 'plain');
  assert.equal(kind(undefined, { TERM: 'dumb' }, true), 'plain');
  assert.equal(kind(undefined, { BUILDKIT_PROGRESS: 'rawjson' }, true), 'rawjson');
  assert.equal(kind('none', {}, true), 'quiet');
  assert.equal(kind(undefined, {}, true, true), 'quiet');
  refuses(() => kind('plain', {}, true, true), /cannot be used together/);
  refuses(() => kind('tty', {}, false), /no terminal/);
});
