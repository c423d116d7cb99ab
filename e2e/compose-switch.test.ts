import assert from 'node:assert/strict';
import { test } from 'node:test';
import { application, applicationFile, containersOf } from './lib/compose-application.ts';
import type { ComposeProject } from './lib/compose-project.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();

const containers = (project: ComposeProject, format?: string): Promise<readonly string[]> =>
  containersOf(project, daemon(), format);

const inspected = (name: string, format: string): Promise<string> => daemon().ok('inspect', '-f', format, name);

test('a project goes to and fro between docker compose and wharf with nothing made anew', async () => {
  await using project = application(daemon().host);
  await project.ok('up', '-d');
  const ours = await containers(project);
  assert.match(await project.peer('up', '-d'), /web-1 {2}Running/);
  assert.deepEqual(await containers(project), ours);
  project.write('compose.yaml', applicationFile('2'));
  await project.peer('up', '-d');
  const theirs = await containers(project);
  assert.notDeepEqual(theirs, ours);
  await project.ok('up', '-d');
  assert.deepEqual(await containers(project), theirs);
  await project.peer('stop', '-t', '0');
  await project.ok('start');
  assert.deepEqual(await containers(project), theirs);
  await project.peer('down', '-v', '-t', '0');
  assert.deepEqual(await containers(project), []);
});

test('docker compose and wharf ask the daemon for the same containers', async () => {
  await using project = application(daemon().host);
  // What is written into containers instead of being mounted is the one difference.
  project.write('compose.yaml', applicationFile('1').replace('{source: token, uid: "1000", mode: "0400"}, ', ''));
  const format = '{{json .Config}}{{json .HostConfig}}{{json .Mounts}}';
  const seen = async (): Promise<string> => {
    const names = ['db-1', 'migrate-1', 'web-1', 'web-2'].map((name) => `${project.name}-${name}`);
    const all = await Promise.all(names.map((name) => inspected(name, format)));
    return all
      .join('\n')
      .replaceAll(/[0-9a-f]{64}/g, 'ID')
      .replaceAll(/"Hostname":"[0-9a-f]{12}"/g, '');
  };
  const dependencies = (text: string): string =>
    text.replaceAll(/"com.docker.compose.depends_on":"([^"]*)"/g, (_all, list: string) =>
      list.split(',').toSorted().join(),
    );
  await project.ok('up', '-d');
  const ours = await seen();
  await project.ok('down', '-v', '-t', '0');
  await project.peer('up', '-d');
  assert.equal(sortedLists(dependencies(ours)), sortedLists(dependencies(await seen())));
});

/** Go writes lists of variables in any order. */
const sortedLists = (text: string): string =>
  text.replaceAll(/"(Env|Binds|Mounts)":(\[[^\]]*\])/g, (_all, name: string, list: string) => {
    return `${name}:${JSON.stringify((JSON.parse(list) as unknown[]).map((one) => JSON.stringify(one)).toSorted())}`;
  });
