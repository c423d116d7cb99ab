import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { GoTemplate } from './template.ts';
import { TemplateError } from './template-error.ts';
import { anyType, pointerTo, type StructType, sliceOf, stringType } from './types.ts';
import { GoValue, JsonNumber } from './value.ts';

/**
 * What Go's text/template with docker's functions wrote for each template and data: recorded by a Go program from the same list.
 */
interface Recorded {
  readonly data: readonly unknown[];
  readonly cases: readonly {
    readonly on: number;
    readonly template: string;
    readonly missingKey?: 'error';
    readonly output?: string;
    readonly error?: string;
  }[];
}

const recorded = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as Recorded;

function outcome(template: string, data: unknown, missingKey: 'default' | 'error' = 'default') {
  try {
    return { output: new GoTemplate(template).render(data, { missingKey }) };
  } catch (error) {
    assert.ok(error instanceof TemplateError, String(error));
    return { error: error.message };
  }
}

test('GoTemplate writes what Go writes, and fails in its words', () => {
  assert.ok(recorded.cases.length > 300);
  for (const { on, template, missingKey, output, error } of recorded.cases) {
    const expected = output === undefined ? { error } : { output };
    assert.deepEqual(outcome(template, recorded.data[on], missingKey), expected, template);
  }
});

const words = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '.',
    '.a',
    '$',
    '$x',
    ':=',
    '=',
    '|',
    '(',
    ')',
    ',',
    '"t"',
    '`r`',
    "'c'",
    '1',
    '-2.5',
    'nil',
  ],
  ...[
    'if',
    'else',
    'end',
    'range',
    'with',
    'define',
    'template',
    'block',
    'break',
    'continue',
    'true',
    'text',
    '\n',
    '/*',
    '*/',
  ],
  ...[
    'json',
    'len',
    'index',
    'slice',
    'printf',
    '"%v %d"',
    'eq',
    'lt',
    'and',
    'or',
    'not',
    'join',
    'split',
    'html',
    '€',
    '%',
  ],
);

test('GoTemplate throws TemplateError, and nothing else, for whatever is put together from its words', () => {
  const text = fc.array(words, { maxLength: 24 }).map((parts) => parts.join(''));
  const data = fc.oneof(fc.jsonValue(), fc.constant({ a: { a: [1, 'x', null] } }));
  fc.assert(
    fc.property(text, data, (template, value) => {
      outcome(template, value);
    }),
    { numRuns: 2000 },
  );
});

test('GoTemplate throws TemplateError, and nothing else, for actions of odd operands', () => {
  const operand = fc.constantFrom(
    '.',
    '.a',
    '.b',
    '.a.b',
    '$',
    '1',
    '-3',
    '1.5',
    '"s"',
    '"%5.1f|%x"',
    'nil',
    'true',
    '(len .a)',
    '(index .a 0)',
  );
  const name = fc.constantFrom(
    ...['json', 'len', 'index', 'slice', 'printf', 'print', 'eq', 'lt', 'ge', 'and', 'or', 'not', 'join'],
  );
  const action = fc.tuple(name, fc.array(operand, { maxLength: 4 })).map(([each, list]) => `${each} ${list.join(' ')}`);
  const data = fc.record({ a: fc.jsonValue(), b: fc.jsonValue() });
  fc.assert(
    fc.property(action, data, (each, value) => {
      outcome(`{{${each}}}`, value);
      outcome(`{{range ${each}}}{{.}}{{else}}{{.}}{{end}}`, value);
    }),
    { numRuns: 1000 },
  );
});

const inner: StructType = {
  kind: 'struct',
  name: 'x.Inner',
  fields: [
    { name: 'Name', key: 'name', type: stringType },
    { name: 'Tags', key: 'tags', type: sliceOf(stringType), omitEmpty: true },
  ],
};
const outer: StructType = {
  kind: 'struct',
  name: 'x.Outer',
  fields: [
    { name: 'Inner', key: 'Inner', type: pointerTo(inner), embedded: true },
    { name: 'Next', key: 'next', type: pointerTo(inner) },
    { name: 'Any', key: 'any', type: anyType },
  ],
  methods: {
    Hello: { parameters: [stringType], result: stringType, call: (_data, name) => `hello ${String(name)}` },
  },
};

test('GoTemplate reads structures by their types: fields, embedded ones, nil pointers, methods', () => {
  const value = new GoValue(pointerTo(outer), { name: 'n', next: { name: 'm', tags: ['a', 'b'] }, any: 7 });
  const render = (text: string) => outcome(text, value);
  assert.deepEqual(render('{{.Name}} {{.Next.Name}} {{.Next.Tags}} {{.Any}}'), { output: 'n m [a b] 7' });
  assert.deepEqual(render('{{json .}}'), { output: '{"name":"n","next":{"name":"m","tags":["a","b"]},"any":7}' });
  assert.deepEqual(render('{{.Next}}'), { output: '{m [a b]}' });
  assert.deepEqual(render('{{.Hello "you"}} {{"me" | .Hello}}'), { output: 'hello you hello me' });
  assert.deepEqual(render('{{.Tags}}|{{len .Tags}}'), { output: '[]|0' });
  assert.deepEqual(render('{{.name}}'), {
    error: 'template: :1:2: executing "" at <.name>: can\'t evaluate field name in type *x.Outer',
  });
  assert.deepEqual(outcome('{{.Next.Name}}', new GoValue(outer, {})), {
    error: 'template: :1:7: executing "" at <.Next.Name>: nil pointer evaluating *x.Inner.Name',
  });
  assert.deepEqual(outcome('{{.Next}} {{if .Next}}y{{else}}n{{end}} {{json .Next}}', new GoValue(outer, {})), {
    output: '<nil> n null',
  });
});

test('numbers of a JSON text keep their digits', () => {
  const data = { big: new JsonNumber('9223372036854775807'), float: new JsonNumber('1.50') };
  assert.deepEqual(outcome('{{.big}} {{.float}} {{json .}}', data), {
    output: '9223372036854775807 1.50 {"big":9223372036854775807,"float":1.50}',
  });
});

test('a template of a stranger is ended after the steps it may take', () => {
  const template = new GoTemplate('{{range 1000000000}}x{{end}}');
  assert.throws(() => template.render({}, { maxSteps: 1000 }), /too many steps/);
  assert.deepEqual(outcome('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', {}), {
    error: 'template: :1:25: executing "a" at <{{template "a"}}>: exceeded maximum template depth (500)',
  });
});
