import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fittedTable } from './fitted-table.ts';
import type { Column, RowKind } from './rows.ts';
import { formatRows, rowsJson } from './rows.ts';
import { styleOf } from './style.ts';
import { alignTabs } from './tab-columns.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const kind: RowKind<Thing> = {
  goType: '*formatter.ThingContext',
  label: ({ labels = {} }, name) => labels[name] ?? '',
  columns: {
    ID: { header: 'THING ID', value: ({ id }) => id },
    Name: { header: 'NAME', value: ({ name }) => name },
    Count: { value: () => 3 },
  },
};
const things: readonly Thing[] = [
  { id: 'abc', name: 'one', labels: { 'com.example.of-team': 'blue' } },
  { id: 'a-longer-id-than-ten', name: '<two>' },
];

test('alignTabs() makes columns of ten at least and three blanks between, which end where a line has no cell for them', () => {
  assert.equal(
    alignTabs('a\tb\tc\nlonger than ten\tx\ty\n'),
    'a                 b         c\nlonger than ten   x         y\n',
  );
  assert.equal(alignTabs('a\tb\nalone\nlonger than ten\tb\n'), 'a         b\nalone\nlonger than ten   b\n');
  assert.equal(alignTabs('日本語日本語\tb\nx\tb\n'), '日本語日本語   b\nx              b\n');
  assert.equal(alignTabs('', { leastWidth: 20, padding: 3 }), '');
  assert.equal(alignTabs('\t\tend\n'), '                    end\n');
});

test('formatRows() writes tables with the header of each column asked for', async () => {
  assert.equal(
    await formatRows(kind, things, 'table {{.ID}}\\t{{.Name}}'),
    'THING ID               NAME\nabc                    one\na-longer-id-than-ten   <two>\n',
  );
  assert.equal(await formatRows(kind, [], 'table {{.Name}}'), 'NAME\n');
  assert.equal(
    await formatRows(kind, things, 'table {{.Name | upper}}\\t{{.Label "com.example.of-team"}}'),
    'NAME      of team\nONE       blue\n<TWO>     \n',
  );
  assert.equal(await formatRows(kind, things.slice(0, 1), 'table {{.ID}} {{len .Name}}'), 'THING ID 4\nabc 3\n');
});

test('formatRows() writes a line of JSON for each row, with the escapes of Go', async () => {
  assert.equal(
    await formatRows(kind, things, 'json'),
    '{"Count":3,"ID":"abc","Name":"one"}\n{"Count":3,"ID":"a-longer-id-than-ten","Name":"\\u003ctwo\\u003e"}\n',
  );
  assert.equal(await formatRows(kind, things.slice(1), '{{json .}}'), await formatRows(kind, things.slice(1), 'json'));
  assert.equal(await formatRows(kind, things.slice(1), '{{json .Name}}'), '"<two>"\n');
  assert.deepEqual(JSON.parse(rowsJson(kind, things)), [
    { Count: 3, ID: 'abc', Name: 'one' },
    { Count: 3, ID: 'a-longer-id-than-ten', Name: '<two>' },
  ]);
});

test('formatRows() carries out templates for each row, and says what is wrong as docker does', async () => {
  assert.equal(await formatRows(kind, things, ' {{.ID}}\\n{{.Count}} '), 'abc\n3\na-longer-id-than-ten\n3\n');
  await assert.rejects(formatRows(kind, things, '{{.ID'), {
    message: 'template parsing error: template: :1: unclosed action',
  });
  await assert.rejects(formatRows(kind, things, '{{.Nope}}'), {
    message:
      'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.ThingContext',
  });
});

const columns: readonly Column<Thing>[] = [
  { header: 'ID', value: ({ id }) => id, least: 4, rank: 2 },
  { header: 'STATE', value: () => 'running', paint: (text, _row, { green }) => green(text) },
  { header: 'NAME', value: ({ name }) => name, least: 4, short: ({ name }) => name.slice(0, 6) },
];
const plain = styleOf({ isTerminal: false });

test('fittedTable() takes short forms, cuts, and leaves columns out, in that order, as a terminal gets narrower', () => {
  const rows: readonly Thing[] = [{ id: '0123456789', name: 'a-name-of-twenty-ch' }];
  const at = (width: number) => fittedTable({ columns, rows, width, style: plain });
  assert.equal(at(80), 'ID           STATE     NAME\n0123456789   running   a-name-of-twenty-ch\n');
  assert.equal(at(30), 'ID           STATE     NAME\n0123456789   running   a-name\n');
  assert.equal(at(26), 'ID        STATE     NAME\n012345…   running   a-name\n');
  assert.equal(at(21), 'ID     STATE     NAME\n012…   running   a-n…\n');
  assert.equal(at(19), 'STATE     NAME\nrunning   a-name\n');
  assert.equal(at(15), 'STATE     NAME\nrunning   a-na…\n');
  assert.equal(at(1), 'STATE     NAME\nrunning   a-n…\n');
  for (let width = 14; width < 60; width += 1) {
    for (const line of at(width).split('\n')) assert.ok(line.length <= width, `${width}: ${line}`);
  }
});

test('fittedTable() paints what is shown and counts only that', () => {
  const style = styleOf({ isTerminal: true }, { TERM: 'xterm' });
  const table = fittedTable({ columns, rows: [{ id: 'x', name: 'n' }], width: 80, style });
  assert.match(table, /\u001b\[1mSTATE\u001b\[22m/);
  assert.match(table, /\u001b\[32mrunning\u001b\[39m {3}n/);
  assert.equal(styleOf({ isTerminal: true }, { TERM: 'xterm', NO_COLOR: '1' }).isColoured, false);
  assert.equal(styleOf({ isTerminal: true }, { TERM: 'dumb' }).isColoured, false);
  assert.equal(styleOf({ isTerminal: false }, { TERM: 'xterm' }).isColoured, false);
});
