import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import { checkTag, renderTag } from './tag.ts';

// Of a record a tag reads no more.
const record = {
  id: '0123456789abcdef'.repeat(4),
  name: 'web',
  path: 'sh',
  args: ['-c', 'x'],
  imageId: `sha256:${'ab'.repeat(32)}`,
  createdAt: '2026-11-21T10:00:00Z',
  config: { Image: 'busybox', Env: ['A=1'], Labels: { 'com.example.team': 'blue' } },
  hostConfig: { LogConfig: { Type: 'syslog', Config: { tag: 'x' } } },
} as unknown as ContainerRecord;

test("renderTag() fills in what a container has, with the whole of Go's templates", () => {
  for (const [template, tag] of [
    ['{{.Name}}/{{ .ID }}', 'web/0123456789ab'],
    ['{{.ImageName}} {{.DaemonName}} {{.Command}}', 'busybox docker sh -c x'],
    ['{{.Name | upper}}-{{slice .FullID 0 4}}', 'WEB-0123'],
    ['{{index .ContainerLabels "com.example.team"}}', 'blue'],
    ['{{range .ContainerEnv}}{{.}};{{end}}{{.ContainerName}}', 'A=1;/web'],
    ['{{if eq .ImageName "busybox"}}b{{else}}o{{end}}', 'b'],
    ['plain', 'plain'],
  ] as const) {
    checkTag(template);
    assert.equal(renderTag(record, template), tag, template);
  }
});

test("checkTag() refuses what no container has, in dockerd's words", () => {
  for (const [template, message] of [
    [
      '{{.Nope}}',
      'template: log-tag:1:2: executing "log-tag" at <.Nope>: can\'t evaluate field Nope in type *logger.Info',
    ],
    ['{{.ID', 'template: log-tag:1: unclosed action'],
    ['{{nope .ID}}', 'template: log-tag:1: function "nope" not defined'],
    ['{{range 100000}}x{{end}}', /too many steps/],
  ] as const) {
    assert.throws(
      () => checkTag(template),
      (error) =>
        isKind(error, 'invalid-argument') &&
        (typeof message === 'string' ? error.message === message : message.test(error.message)),
      template,
    );
  }
});
