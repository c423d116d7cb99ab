import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Folder } from './testing.ts';

/** What is wrong, compose's words, and the hint with place and suggestion. */
const CASES: readonly (readonly [string, string, string])[] = [
  [
    'services:\n  web:\n    imge: a\n',
    "validating DIR/compose.yaml: services.web additional properties 'imge' not allowed",
    'compose.yaml:3:5: did you mean "image"?',
  ],
  [
    'service:\n  web: {image: a}\n',
    "validating DIR/compose.yaml:  additional properties 'service' not allowed",
    'compose.yaml:1:1: did you mean "services"?',
  ],
  [
    'services:\n  web:\n    image: 5\n',
    'validating DIR/compose.yaml: services.web.image must be a string',
    'compose.yaml:3:5: put it in quotes: "5"',
  ],
  [
    'services:\n  web:\n    image:\n',
    'validating DIR/compose.yaml: services.web.image must be a string',
    'compose.yaml:3:5: write a value after the colon, or leave the line out',
  ],
  [
    'services:\n  web:\n    image: a\n    ports: 80\n',
    'validating DIR/compose.yaml: services.web.ports must be a array',
    'compose.yaml:4:5: write a list: each item on a line that begins with "- "',
  ],
  ['services:\n  - web\n', 'services must be a mapping', 'compose.yaml:1:1'],
  ['services:\n  web: [a]\n', 'services.web must be a mapping', 'compose.yaml:2:3'],
  [
    'services:\n  web:\n    image: a\n    depends_on:\n      db: {condition: service_healty}\n',
    "validating DIR/compose.yaml: services.web.depends_on.db.condition value must be one of 'service_started', 'service_healthy', 'service_completed_successfully'",
    'compose.yaml:5:12: did you mean "service_healthy"?',
  ],
  [
    'services:\n  web:\n    image: a\n    cap_add: [A, B, A, A]\n    security_opt: [x, x]\n',
    'validating DIR/compose.yaml: services.web.security_opt items at 0 and 1 are equal',
    '',
  ],
  [
    'services:\n  web:\n    image: a\n    oom_score_adj: 2000\n',
    'validating DIR/compose.yaml: services.web.oom_score_adj must be a string',
    'compose.yaml:4:5: put it in quotes: "2000"',
  ],
  [
    'services:\n  web:\n    image: a\n    pull_policy: sometimes\n',
    "validating DIR/compose.yaml: services.web.pull_policy 'sometimes' does not match pattern 'always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+'",
    'compose.yaml:4:5',
  ],
  [
    'services:\n  web:\n    image: a\n    develop: {watch: [{path: x}]}\n',
    "validating DIR/compose.yaml: services.web.develop.watch.0 missing property 'action'",
    'compose.yaml:4:23',
  ],
  [
    'services:\n  web:\n    image: a\n    labels: {a: [b]}\n',
    'validating DIR/compose.yaml: services.web.labels.a must be a boolean, null, number or string',
    'compose.yaml:4:14',
  ],
  [
    'services:\n  "a b":\n    image: a\n',
    "validating DIR/compose.yaml: services additional properties 'a b' not allowed",
    'compose.yaml:2:3',
  ],
  [
    'services:\n  web:\n    image: a\n    labels: {d: 2024-01-01}\n',
    'validating DIR/compose.yaml: services.web.labels.d invalid jsonType time.Time',
    'compose.yaml:4:14',
  ],
  [
    'services: {web: {image: a}}\nnetworks: {"a b": text}',
    'decoding failed due to the following error(s):\n\n\'networks[a b]\' expected a map or struct, got "string"',
    'compose.yaml:2:12',
  ],
  ['services: {__proto__: {image: a}}', 'services.__proto__: this name cannot be used', 'compose.yaml:1:12'],
  ['- a\n', 'top-level object must be a mapping', 'compose.yaml:1:1'],
  ['', 'empty compose file', ''],
  [
    'services: {web: {image: a, ports: ["80:x"]}}',
    'Invalid containerPort: x',
    'compose.yaml:1:36: a port is "8080:80", "127.0.0.1:8080:80/tcp" or a range',
  ],
  [
    'services: {web: {image: a, volumes: ["aa:/b:cc:d"]}}',
    'invalid spec: aa:/b:cc:d: too many colons',
    'compose.yaml:1:38: a volume is "name:/path", "./directory:/path:ro" or "/path"',
  ],
  [
    'services: {web: {image: "${X:?set it}"}}',
    'error while interpolating services.web.image: required variable X is missing a value: set it',
    'compose.yaml:1:18: set the variable in the environment, in .env or with --env-file',
  ],
  [
    'services: {web: {image: a, command: ["${"]}}',
    'invalid interpolation format for services.web.command.[].\nYou may need to escape any $ with another $.\n${',
    'compose.yaml:1:38: a variable is $NAME or ${NAME}; a dollar sign is $$',
  ],
  [
    'services: {web: {image: a, scale: "${N:-x}"}}',
    'error while interpolating services.web.scale: failed to cast to expected type: strconv.Atoi: parsing "x": invalid syntax',
    'compose.yaml:1:28',
  ],
  [
    'services: {web: {image: a, healthcheck: {interval: 5}}}',
    'validating DIR/compose.yaml: services.web.healthcheck.interval must be a string',
    'compose.yaml:1:42: put it in quotes: "5"',
  ],
  [
    'services: {web: {image: a, healthcheck: {interval: 5x, timeout: q}}}',
    'decoding failed due to the following error(s):\n\n\'services[web].healthcheck.timeout\' time: invalid duration "q"\n\'services[web].healthcheck.interval\' time: unknown unit "x" in duration "5x"',
    'compose.yaml:1:56',
  ],
  [
    'services: {web: {image: a}}\nsecrets: {s: {}}',
    'secrets.s: one of file|environment must be set',
    'compose.yaml:2:11',
  ],
  [
    'services: {web: {image: a}}\nvolumes: {v: {external: true, driver: x}}',
    'volumes.v: conflicting parameters "external" and "driver" specified',
    'compose.yaml:2:31: an external volume is used as it is: leave the line out',
  ],
];

for (const [source, message, hint] of CASES)
  test(`a file is refused: ${message.split('\n')[0]}`, async () => {
    using folder = new Folder({ 'compose.yaml': source });
    const refusal = await folder.refusal();
    assert.equal(refusal.message, message);
    if (hint !== '') assert.equal(refusal.hint, hint);
  });
