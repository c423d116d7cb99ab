import assert from 'node:assert/strict';
import test from 'node:test';
import { createFailure, execFailure, exitCodeOf, runtimeDetail } from './runtime-error.ts';

test('runtimeDetail() says what Docker says of a missing program', () => {
  const message = 'executable file `x` not found in $PATH: No such file or directory\n';
  assert.equal(runtimeDetail(message, 'x'), 'exec: "x": executable file not found in $PATH');
  assert.equal(runtimeDetail(message, '/bin/x'), 'exec: "/bin/x": stat /bin/x: no such file or directory');
});

test('createFailure() carries 127 for what is missing and 126 for what may not run', () => {
  const missing = createFailure('crun', 'executable file `x` not found in $PATH: No such file or directory', 'x');
  assert.equal(exitCodeOf(missing), 127);
  assert.match(
    missing.message,
    /^failed to create task for container: .*executable file not found in \$PATH: unknown$/,
  );
  const forbidden = createFailure('crun', 'open executable: Permission denied', '/x');
  assert.equal(exitCodeOf(forbidden), 126);
  assert.match(forbidden.message, /permission denied/);
  assert.equal(exitCodeOf(createFailure('crun', 'something else', '/x')), 128);
});

test('createFailure() hints at a file mounted onto a directory', () => {
  assert.match(
    createFailure('crun', 'mount x: Not a directory', '/x').message,
    /Are you trying to mount a directory onto a file/,
  );
});

test('execFailure() carries 126 for what is unknown', () => {
  assert.equal(exitCodeOf(execFailure('something else', '/x')), 126);
  assert.match(
    execFailure('open executable: Permission denied', '/x').message,
    /^OCI runtime exec failed: exec failed: /,
  );
});
