import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { StepError } from '../ops/step-error.ts';
import { planBuild } from '../plan/plan.ts';
import { classicError, type FailedLine, fromFlagAt } from './classic-errors.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };

/** The last instruction of a file, as if a build had ended there. */
async function lastOf(text: string): Promise<FailedLine> {
  const { target } = await planBuild(parseDockerfile(text), {
    ...{ buildArgs: new Map(), labels: {}, noCache: false, buildPlatform: PLATFORM, targetPlatform: PLATFORM },
    resolveImage: () => Promise.reject(new Error('there are no images')),
  });
  const step = target.steps.at(-1);
  assert.ok(step);
  return { text: step.text, vertex: step.result };
}

const absent = new WharfError('not-found', 'failed to compute cache key: "/a/foo": not found');
const messageIn = (document: object) => (document as { readonly error: string }).error;

test("classicError() tells of a file that is not there in Docker's words", async () => {
  const missing = 'file not found in build context or excluded by .dockerignore: stat a/foo: file does not exist';
  for (const [text, message] of [
    ['FROM scratch\nCOPY a/foo /', `COPY failed: ${missing}`],
    ['FROM scratch\nadd a/foo /', `ADD failed: ${missing}`],
    ['FROM scratch AS x\nFROM scratch\nCOPY --from=x a/foo /', 'COPY failed: stat a/foo: file does not exist'],
  ] as const) {
    assert.equal(messageIn(classicError(absent, await lastOf(text))), message);
  }
});

test('classicError() gives a command its status, and leaves other errors as they are', async () => {
  assert.deepEqual(classicError(new StepError(['/bin/sh', '-c', 'exit 3'], 3), undefined), {
    errorDetail: { code: 3, message: "The command '/bin/sh -c exit 3' returned a non-zero code: 3" },
    error: "The command '/bin/sh -c exit 3' returned a non-zero code: 3",
  });
  assert.equal(messageIn(classicError(absent, undefined)), absent.message);
  assert.equal(messageIn(classicError(new Error('other'), await lastOf('FROM scratch\nCOPY foo /'))), 'other');
});

test('classicError() names the flag of a COPY from an image that cannot be had', () => {
  const file = parseDockerfile('FROM scratch\nCOPY --from=nowhere a /\nCOPY b /\n');
  assert.equal(fromFlagAt(file, { start: 2, end: 2 }), 'nowhere');
  assert.equal(fromFlagAt(file, { start: 3, end: 3 }), '');
  assert.equal(fromFlagAt(file, undefined), '');
  const document = classicError(new Error('pull access denied'), undefined, 'nowhere');
  assert.equal(messageIn(document), 'invalid from flag value nowhere: pull access denied');
});
