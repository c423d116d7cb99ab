import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hintFor } from './hints.ts';

test('hintFor() says what can be done about what daemons say', () => {
  const cases: Readonly<Record<string, RegExp | undefined>> = {
    'Conflict. The container name "/web" is already in use by container "1f". You have to remove it':
      /wharf rm -f web,/,
    'failed to set up container networking: driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated':
      /publish=8080 /,
    'failed to bind host port for 127.0.0.1:80: listen tcp4 127.0.0.1:80: bind: address already in use': /publish=80 /,
    'unable to start container process: exec: "nope": executable file not found in $PATH: unknown': /no program "nope"/,
    'exec: "/x": stat /x: no such file or directory: unknown': /no program "\/x"/,
    'exec: "/etc": is a directory: permission denied: unknown': /"\/etc" is no program/,
    "pull access denied for x, repository does not exist or may require 'docker login'": /wharf login/,
    'network shop not found': /wharf network create shop,/,
    'invalid mount config for type "bind": bind source path does not exist: /data/x': /Make \/data\/x first/,
    'something else': undefined,
  };
  for (const [message, wanted] of Object.entries(cases)) {
    const hint = hintFor(message);
    if (wanted === undefined) assert.equal(hint, undefined);
    else assert.match(hint ?? '', wanted, message);
  }
});
