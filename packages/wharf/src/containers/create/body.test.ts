import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { FlagTable } from '../../cli/flags.ts';
import { parseLine } from '../../cli/parse-line.ts';
import { createBody } from './body.ts';
import { comparable, dockerLines, LINE_ENVIRONMENT, lineDirectory, wholeBody } from './docker-lines.ts';
import { CONTAINER_FLAGS, type ContainerFlags, CREATION_FLAGS } from './flags.ts';
import type { Proxies } from './wish.ts';

const FLAGS: FlagTable = { ...CONTAINER_FLAGS, ...CREATION_FLAGS, pull: { kind: 'string', help: '' } };
const home = process.cwd();
let directory: string;

before(() => {
  directory = lineDirectory();
  process.chdir(directory);
  Object.assign(process.env, LINE_ENVIRONMENT);
});
after(() => {
  process.chdir(home);
  for (const name of Object.keys(LINE_ENVIRONMENT)) delete process.env[name];
  rmSync(directory, { recursive: true });
});

function bodyOf(line: readonly string[], proxies: Proxies = {}) {
  const { values, given, positionals } = parseLine(FLAGS, line, { interspersed: false });
  const [image = '', ...command] = positionals;
  const flags = values as unknown as ContainerFlags;
  const body = createBody({ flags, given, image, command, directory, env: process.env, proxies });
  return JSON.parse(JSON.stringify(body)) as typeof body;
}

test("createBody() makes of a line what docker's client makes of it", () => {
  const lines = dockerLines(directory);
  for (const accepted of lines.accepted) {
    const body = comparable(bodyOf(accepted.line));
    assert.deepEqual(body, comparable(wholeBody(lines, accepted)), accepted.line.join(' '));
  }
});

test('createBody() refuses in the words of docker', () => {
  for (const { line, stderr } of dockerLines(directory).refused) {
    if (line.includes('--pull') || line.includes('--platform')) continue;
    assert.throws(() => bodyOf(line), { message: stderr.replace(/^docker: /, '') }, line.join(' '));
  }
});

test('createBody() adds the proxies that the line does not set, in both spellings', () => {
  const proxies = { HTTP_PROXY: 'http://proxy', NO_PROXY: 'localhost' };
  const { Env } = bodyOf(['-e', 'http_proxy=own', '-e', 'A=1', 'x'], proxies);
  assert.deepEqual(Env, [
    'http_proxy=own',
    'A=1',
    'HTTP_PROXY=http://proxy',
    'NO_PROXY=localhost',
    'no_proxy=localhost',
  ]);
});
