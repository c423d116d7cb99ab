import { Float, formatFloat, Timestamp } from '../load/values.ts';
import { resolvePlain } from '../load/yaml-scalars.ts';
import { byNaturalOrder, type Tree, type TreeMap } from './tree.ts';

const INDENT = 2;
const LONGEST_KEY = 128;

/** A tree as go-yaml v3 prints it with an indent of two: block style, keys sorted naturally, no folding of lines. */
export function writeYaml(tree: Tree): string {
  const parts: string[] = [];
  if (isBlock(tree)) writeBlock(tree, parts, 0);
  else parts.push(scalar(tree, 0), '\n');
  return parts.join('');
}

type Block = TreeMap | readonly Tree[];

function isBlock(tree: Tree): tree is Block {
  if (Array.isArray(tree)) return tree.length > 0;
  return isMap(tree) && tree.entries.length > 0;
}

function isMap(tree: Tree): tree is TreeMap {
  return typeof tree === 'object' && tree !== null && 'order' in tree;
}

/** Writes a block whose first line begins where the writer stands; the others are indented. */
function writeBlock(tree: Block, parts: string[], indent: number): void {
  if (isMap(tree)) {
    let margin = '';
    for (const [key, value] of ordered(tree)) {
      parts.push(margin);
      if (isLong(key)) writeLongKey(key, value, parts, indent);
      else {
        parts.push(keyText(key), ':');
        writeValue(value, parts, indent);
      }
      margin = ' '.repeat(indent);
    }
    return;
  }
  let margin = '';
  for (const item of tree) {
    parts.push(margin, '-');
    if (isBlock(item)) {
      parts.push(' ');
      writeBlock(item, parts, indent + INDENT);
    } else parts.push(' ', scalar(item, indent), '\n');
    margin = ' '.repeat(indent);
  }
}

/** Keys of more than 128 bytes stand on a line of their own (YAML 1.1, "Simple Keys"). */
function writeLongKey(key: string, value: Tree, parts: string[], indent: number): void {
  parts.push('? ', text(key, indent), '\n', ' '.repeat(indent), ': ');
  if (isBlock(value)) writeBlock(value, parts, indent + INDENT);
  else parts.push(scalar(value, indent), '\n');
}

function writeValue(value: Tree, parts: string[], indent: number): void {
  if (!isBlock(value)) {
    parts.push(' ', scalar(value, indent), '\n');
    return;
  }
  const inner = indent + INDENT;
  parts.push('\n', ' '.repeat(inner));
  writeBlock(value, parts, inner);
}

function ordered(tree: TreeMap): readonly (readonly [string, Tree])[] {
  return tree.order === 'fields' ? tree.entries : [...tree.entries].sort((a, b) => byNaturalOrder(a[0], b[0]));
}

function isLong(key: string): boolean {
  return key.length * 3 > LONGEST_KEY && Buffer.byteLength(key) > LONGEST_KEY;
}

/** A key on one line. */
function keyText(key: string): string {
  if (NAME.test(key)) return key;
  if (key === '') return '""';
  return key.includes('\n') ? doubleQuoted(key) : text(key, 0);
}

function scalar(value: Tree, indent: number): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return text(value, indent);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Float) return floatText(value);
  if (value instanceof Timestamp) return value.text;
  return Array.isArray(value) ? '[]' : '{}';
}

function floatText(value: Float): string {
  const shown = formatFloat(value.value, value.bits);
  if (shown === '+Inf') return '.inf';
  if (shown === '-Inf') return '-.inf';
  return shown === 'NaN' ? '.nan' : shown;
}

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const OLD_BOOLEANS = new Set('y Y yes Yes YES on On ON n N no No NO off Off OFF'.split(' '));
// Control characters but tab and line feed, what comes after the basic plane, and the byte order mark.
const SPECIAL = /[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
// The attributes' own names, and most others.
const NAME = /^(?!(?:true|false|null|yes|off|on|no|[yn])$)[a-z_]+$/;
// What needs no second look: by far the most texts.
const SIMPLE = /^[A-Za-z_/][A-Za-z0-9_./=-]*$/;

function text(value: string, indent: number): string {
  if (value.includes('\n')) return blockAllowed(value) ? literal(value, indent) : doubleQuoted(value);
  if (!resolvesToText(value) || OLD_BOOLEANS.has(value)) return doubleQuoted(value);
  if (SIMPLE.test(value)) return value;
  if (BASE_60.test(value)) return doubleQuoted(value);
  if (plainAllowed(value)) return value;
  return singleAllowed(value) ? `'${value.replaceAll("'", "''")}'` : doubleQuoted(value);
}

function resolvesToText(value: string): boolean {
  return typeof resolvePlain(value) === 'string';
}

/** Whether a text without quotes would read back as itself (YAML 1.1, "Plain Scalars"). */
function plainAllowed(value: string): boolean {
  if (/^(---|\.\.\.)/.test(value) || /^ | $/.test(value)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(value) || /^[?:-](?:[ \t\n]|$)/.test(value)) return false;
  if (/:(?:[ \t]|$)/.test(value) || /[ \t]#/.test(value)) return false;
  return singleAllowed(value);
}

function singleAllowed(value: string): boolean {
  return !value.includes('\t') && !hasSpecial(value) && !/[\r\u0085\u2028\u2029]/.test(value);
}

function blockAllowed(value: string): boolean {
  return !value.endsWith(' ') && !/ [\n\r\u0085\u2028\u2029]/.test(value) && !hasSpecial(value);
}

/** Characters that only a double quoted text can hold: what go-yaml does not count as printable. */
function hasSpecial(value: string): boolean {
  return SPECIAL.test(value);
}

function literal(value: string, indent: number): string {
  const hint = /^[ \n\r\u0085\u2028\u2029]/.test(value) ? String(INDENT) : '';
  const chomp = !value.endsWith('\n') ? '-' : value === '\n' || value.endsWith('\n\n') ? '+' : '';
  const margin = ' '.repeat(indent + INDENT);
  const body = value.endsWith('\n') ? value.slice(0, -1) : value;
  const lines = body.split('\n').map((line) => (line === '' ? '' : margin + line));
  return `|${hint}${chomp}\n${lines.join('\n')}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(value: string): string {
  let out = '"';
  for (const char of value) {
    if (
      char !== '\t' &&
      char !== '"' &&
      char !== '\\' &&
      !/[\n\r\u0085\u2028\u2029\ufeff]/.test(char) &&
      !hasSpecial(char)
    )
      out += char;
    else out += ESCAPES[char] ?? hexEscape(char.codePointAt(0) ?? 0);
  }
  return `${out}"`;
}

function hexEscape(code: number): string {
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
