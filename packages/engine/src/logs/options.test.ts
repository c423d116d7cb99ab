import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSize, readRotation, validateLogOptions } from './options.ts';

test('validateLogOptions() refuses in the words of dockerd', () => {
  const cases: readonly [string, Record<string, string>, string][] = [
    ['json-file', { x: '1' }, "unknown log opt 'x' for json-file log driver"],
    ['local', { x: '1' }, "unknown log opt 'x' for log driver local"],
    ['syslog', { 'max-size': '1m' }, "unknown log opt 'max-size' for syslog log driver"],
    ['journald', { 'max-file': '1' }, "unknown log opt 'max-file' for journald log driver"],
    ['gelf', {}, "logger: no log driver named 'gelf' is registered"],
    ['json-file', { mode: 'x' }, 'logger: logging mode not supported: x'],
    [
      'json-file',
      { 'max-buffer-size': '1m' },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
    ['json-file', { 'max-size': '-1' }, 'max-size must be a positive number'],
    ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
    [
      'json-file',
      { 'max-size': '1m', compress: 'true' },
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    ],
    ['syslog', { 'syslog-address': 'ftp://x' }, "unsupported scheme: 'ftp'"],
    ['syslog', { 'syslog-facility': 'x' }, 'invalid syslog facility'],
    ['syslog', { 'syslog-format': 'x' }, 'Invalid syslog format'],
    ['journald', { 'cache-disabled': 'x' }, 'invalid value for option cache-disabled: x'],
  ];
  for (const [driver, options, message] of cases) {
    assert.throws(() => validateLogOptions(driver, options), { kind: 'invalid-argument', message });
  }
});

test('validateLogOptions() takes what dockerd takes', () => {
  validateLogOptions('none', { anything: 'goes' });
  validateLogOptions('json-file', {
    'max-size': '10m',
    'max-file': '3',
    compress: 'false',
    labels: 'a',
    'env-regex': '^A',
    tag: '{{.Name}}/{{ .ID }}',
    mode: 'non-blocking',
    'max-buffer-size': '4m',
    'cache-disabled': 'true',
  });
  validateLogOptions('syslog', { 'syslog-address': 'tcp://[::1]:601', 'syslog-facility': 'local3' });
});

test('readRotation() bounds every log, and keeps the defaults of dockerd where options are given', () => {
  assert.deepEqual(readRotation('json-file', {}), { maxSizeBytes: 20_000_000, maxFiles: 5, compress: true });
  assert.deepEqual(readRotation('json-file', { 'max-size': '1k' }), {
    maxSizeBytes: 1000,
    maxFiles: 1,
    compress: false,
  });
  assert.deepEqual(readRotation('local', { 'max-size': '1k' }), { maxSizeBytes: 1000, maxFiles: 5, compress: true });
});

test('parseSize() reads decimal and binary units', () => {
  assert.equal(parseSize('10m', 1000), 10_000_000);
  assert.equal(parseSize('1.5 GB', 1000), 1_500_000_000);
  assert.equal(parseSize('4KiB', 1024), 4096);
  assert.equal(parseSize('12', 1000), 12);
  for (const bad of ['', 'm', '1x', '1 2']) assert.equal(parseSize(bad, 1000), undefined);
});
