import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dockerType } from './docker-types/docker-type.ts';
import { rewriteJson, templatePrinter } from './inspect-template.ts';
import { compactJson, indentJson } from './json-text.ts';

test('indentJson() and compactJson() keep every byte of strings and numbers', () => {
  assert.equal(
    indentJson('[{"a":1.50,"b":[],"c":{},"d":"\\u003c{,}: \\"x"}]'),
    '[\n    {\n        "a": 1.50,\n        "b": [],\n        "c": {},\n        "d": "\\u003c{,}: \\"x"\n    }\n]',
  );
  assert.equal(compactJson('{ "a" : [ 1 , 2 ],\n "b": " x " }'), '{"a":[1,2],"b":" x "}');
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      assert.equal(indentJson(text), JSON.stringify(value, null, 4));
      assert.equal(compactJson(JSON.stringify(value, null, 2)), text);
    }),
  );
});

const container = JSON.stringify({
  Id: 'abc',
  Name: '/web',
  State: { Status: 'running', Running: true, Pid: 7 },
  Config: { Labels: { a: 'b' }, Cmd: ['sh', '-c'], Env: null },
  HostConfig: { Memory: 5, NetworkMode: 'host' },
  NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '81/tcp': null } },
  Unknown: { x: 1 },
});

function render(format: string, raw = container, type = 'container.InspectResponse'): string {
  const printer = templatePrinter(format);
  printer.add({ raw, type });
  return printer.end();
}

test("a template reads a document by Go's names and types", () => {
  assert.equal(render('{{.ID}} {{.State.Running}} {{.Config.Cmd}}'), 'abc true [sh -c]\n');
  assert.equal(render('{{.NetworkSettings.Ports}}'), 'map[80/tcp:[{0.0.0.0 8080}] 81/tcp:[]]\n');
  assert.equal(render('{{.HostConfig.NetworkMode.IsHost}} {{.HostConfig.MemorySwappiness}}'), 'true <nil>\n');
  assert.equal(
    render('{{json .State}}'),
    '{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":7,"ExitCode":0,"Error":"","StartedAt":"","FinishedAt":""}\n',
  );
  assert.equal(render('{{json .Config.Labels}} {{with .State.Health}}x{{end}}'), '{"a":"b"} \n');
});

test('where the types do not help, the document is read as it came, and a missing key is an error', () => {
  assert.equal(render('{{.Id}} {{.Unknown.x}}'), 'abc 1\n');
  assert.throws(() => render('{{.Nope}}'), {
    message: 'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
  });
  assert.throws(() => templatePrinter('{{.ID'), { message: 'template parsing error: template: :1: unclosed action' });
});

test('integers beyond 2^53 keep their digits', () => {
  const raw = '{"Id":"x","HostConfig":{"Memory":9223372036854775807}}';
  assert.equal(
    render('{{.HostConfig.Memory}} {{json .HostConfig.Memory}}', raw),
    '9223372036854775807 9223372036854775807\n',
  );
});

test('rewriteJson() writes what the type knows, in its order', () => {
  const raw = '{"Name":"v<1>","Driver":"local","Odd":1,"Labels":null,"Mountpoint":"/m","Options":{},"Scope":"local"}';
  assert.equal(
    rewriteJson(raw, 'volume.Volume'),
    '{"Driver":"local","Labels":null,"Mountpoint":"/m","Name":"v\\u003c1\\u003e","Options":{},"Scope":"local"}',
  );
});

test('dockerType() knows every type it names', () => {
  for (const name of [
    'container.InspectResponse',
    'image.InspectResponse',
    'network.Inspect',
    'volume.Volume',
    'types.Plugin',
    'system.Info',
    'types.Version',
  ]) {
    const type = dockerType(name);
    assert.equal(type.kind, 'struct');
    assert.equal(dockerType(name), type);
  }
  assert.throws(() => dockerType('no.Such'), /There is no type no.Such/);
});
