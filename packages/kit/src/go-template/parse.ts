import type { GoFunctions } from './functions.ts';
import { lex, type Token, type TokenKind } from './lexer.ts';
import { parseNumber, unquote } from './literals.ts';
import {
  type BranchNode,
  type CommandNode,
  type Node,
  type Operand,
  type PipeNode,
  type RangeNode,
  sourceOf,
  type TemplateNode,
  type VariableNode,
} from './nodes.ts';
import { TemplateError } from './template-error.ts';

const MAX_DEPTH = 1000;

interface ParseInput {
  readonly name: string;
  readonly text: string;
  readonly functions: GoFunctions;
}

/** The templates a text defines; its own body has the name given. Throws TemplateError in Go's words. */
export function parseTemplate(input: ParseInput): ReadonlyMap<string, readonly Node[]> {
  const parser = new Parser(input);
  parser.main();
  return parser.trees;
}

/** What ends a list of nodes. */
type Ending = { readonly kind: 'end' } | { readonly kind: 'else'; readonly at: number };

const OPERANDS: ReadonlySet<TokenKind> = new Set([
  ...(['bool', 'character', 'complex', 'dot', 'field', 'identifier', 'number'] as const),
  ...(['raw-string', 'string', 'variable', 'open'] as const),
]);

class Parser {
  readonly trees = new Map<string, readonly Node[]>();
  readonly #input: ParseInput;
  readonly #tokens: readonly Token[];
  #next = 0;
  #variables = ['$'];
  #rangeDepth = 0;
  #depth = 0;
  #actionLine = 0;

  constructor(input: ParseInput) {
    this.#input = input;
    this.#tokens = lex(input.text);
  }

  main(): void {
    const nodes: Node[] = [];
    while (this.#peek().kind !== 'eof') {
      if (this.#peek().kind === 'left') {
        const mark = this.#next;
        this.#take();
        if (isKeyword(this.#takeWord(), 'define')) {
          this.#definition();
          continue;
        }
        this.#next = mark;
      }
      const node = this.#textOrAction();
      if (node.kind === 'end' || node.kind === 'else') this.#fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    this.#add(this.#input.name, nodes);
  }

  #add(name: string, nodes: readonly Node[]): void {
    const there = this.trees.get(name);
    if (there === undefined || isEmpty(there)) this.trees.set(name, nodes);
    else if (!isEmpty(nodes)) this.#fail(`template: multiple definition of template ${JSON.stringify(name)}`);
  }

  #definition(): void {
    const where = 'define clause';
    const word = this.#takeWord();
    if (word.kind !== 'string' && word.kind !== 'raw-string') this.#unexpected(word, where);
    const name = this.#unquote(word.text);
    this.#expect('right', where);
    this.#add(name, this.#body(where));
  }

  /** The nodes up to `{{end}}`, with variables of their own. */
  #body(where: string): readonly Node[] {
    const [variables, rangeDepth] = [this.#variables, this.#rangeDepth];
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const { list, ending } = this.#list();
    if (ending.kind !== 'end') this.#fail(`unexpected {{else}} in ${where}`);
    this.#variables = variables;
    this.#rangeDepth = rangeDepth;
    return list;
  }

  #list(): { readonly list: readonly Node[]; readonly ending: Ending } {
    const list: Node[] = [];
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail('max expression depth exceeded');
    while (this.#peekWord().kind !== 'eof') {
      const node = this.#textOrAction();
      if (node.kind === 'end' || node.kind === 'else') {
        this.#depth -= 1;
        return { list, ending: node };
      }
      list.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): Node | Ending {
    const token = this.#takeWord();
    if (token.kind === 'text') return { kind: 'text', at: token.at, text: token.text };
    if (token.kind !== 'left') return this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): Node | Ending {
    const token = this.#takeWord();
    if (token.kind === 'keyword') {
      switch (token.text) {
        case 'block':
          return this.#block();
        case 'break':
        case 'continue':
          return this.#leave(token.text, token.at);
        case 'else':
          return this.#otherwise();
        case 'end':
          this.#expect('right', 'end');
          return { kind: 'end' };
        case 'if':
        case 'with':
        case 'range':
          return this.#control(token.text);
        case 'template':
          return this.#template();
      }
    }
    this.#next -= 1;
    const { at } = token;
    return { kind: 'action', at, pipe: this.#pipeline('command', 'right') };
  }

  #leave(kind: 'break' | 'continue', at: number): Node {
    const token = this.#takeWord();
    if (token.kind !== 'right') this.#unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, at };
  }

  #otherwise(): Ending {
    const token = this.#peekWord();
    if (!isKeyword(token, 'if') && !isKeyword(token, 'with')) this.#expect('right', 'else');
    return { kind: 'else', at: token.at };
  }

  #control(kind: 'if' | 'with' | 'range'): BranchNode | RangeNode {
    const known = this.#variables.length;
    const pipe = this.#pipeline(kind, 'right');
    if (kind === 'range') this.#rangeDepth += 1;
    const { list, ending } = this.#list();
    if (kind === 'range') this.#rangeDepth -= 1;
    let otherwise: readonly Node[] | undefined;
    if (ending.kind === 'else') {
      // `{{else if x}}` is an if of its own inside of the else, and its end is the end of both.
      if (kind !== 'range' && isKeyword(this.#peekWord(), kind)) {
        this.#takeWord();
        otherwise = [this.#control(kind)];
      } else {
        const rest = this.#list();
        if (rest.ending.kind !== 'end') this.#fail('expected end; found {{else}}');
        otherwise = rest.list;
      }
    }
    this.#variables.length = known;
    return { kind, at: pipe.at, pipe, list, otherwise };
  }

  #template(): TemplateNode {
    const where = 'template clause';
    const token = this.#takeWord();
    const name = this.#templateName(token, where);
    let pipe: PipeNode | undefined;
    if (this.#peekWord().kind === 'right') this.#takeWord();
    else pipe = this.#pipeline(where, 'right');
    return { kind: 'template', at: token.at, name, pipe };
  }

  #block(): TemplateNode {
    const where = 'block clause';
    const token = this.#takeWord();
    const name = this.#templateName(token, where);
    const pipe = this.#pipeline(where, 'right');
    this.#add(name, this.#body(where));
    return { kind: 'template', at: token.at, name, pipe };
  }

  #templateName(token: Token, where: string): string {
    if (token.kind !== 'string' && token.kind !== 'raw-string') this.#unexpected(token, where);
    return this.#unquote(token.text);
  }

  #pipeline(where: string, end: 'right' | 'close'): PipeNode {
    const { at } = this.#peekWord();
    const { variables, assigns } = this.#declarations(where);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#takeWord();
      if (token.kind === end) break;
      if (!OPERANDS.has(token.kind) && !isKeyword(token, 'nil')) this.#unexpected(token, where);
      this.#next -= 1;
      commands.push(this.#command());
    }
    if (commands.length === 0) this.#fail(`missing value for ${where}`);
    for (const [stage, { words }] of commands.entries()) {
      const first = words[0]?.kind ?? 'nil';
      if (stage > 0 && ['bool', 'dot', 'nil', 'number', 'string'].includes(first)) {
        this.#fail(`non executable command in pipeline stage ${stage + 1}`);
      }
    }
    return { kind: 'pipe', at, assigns, variables, commands };
  }

  #declarations(where: string): { readonly variables: readonly VariableNode[]; readonly assigns: boolean } {
    const variables: VariableNode[] = [];
    while (this.#peekWord().kind === 'variable') {
      const mark = this.#next;
      const token = this.#takeWord();
      const next = this.#peekWord();
      if (next.kind === 'assign' || next.kind === 'declare') {
        this.#takeWord();
        variables.push(this.#declare(token));
        return { variables, assigns: next.kind === 'assign' };
      }
      if (next.kind !== 'char' || next.text !== ',') {
        this.#next = mark;
        break;
      }
      this.#takeWord();
      variables.push(this.#declare(token));
      if (where !== 'range' || variables.length >= 2) this.#fail(`too many declarations in ${where}`);
      if (!['variable', 'right', 'close'].includes(this.#peekWord().kind)) {
        this.#fail('range can only initialize variables');
      }
    }
    return { variables, assigns: false };
  }

  #declare({ text, at }: Token): VariableNode {
    this.#variables.push(text);
    return { kind: 'variable', at, path: [text] };
  }

  #command(): CommandNode {
    const { at } = this.#peekWord();
    const words: Operand[] = [];
    for (;;) {
      this.#peekWord();
      this.#skipBlanks();
      const operand = this.#operand();
      if (operand !== undefined) words.push(operand);
      const token = this.#take();
      if (token.kind === 'space') continue;
      if (token.kind === 'right' || token.kind === 'close') this.#next -= 1;
      else if (token.kind !== 'pipe') this.#unexpected(token, 'operand');
      break;
    }
    if (words.length === 0) this.#fail('empty command');
    return { kind: 'command', at, words };
  }

  #operand(): Operand | undefined {
    const node = this.#term();
    if (node === undefined || this.#peek().kind !== 'field') return node;
    const { at } = this.#peek();
    const fields: string[] = [];
    while (this.#peek().kind === 'field') fields.push(this.#take().text.slice(1));
    switch (node.kind) {
      case 'field':
      case 'variable':
        return { ...node, at, path: [...node.path, ...fields] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${JSON.stringify(sourceOf(node))}`);
      default:
        return { kind: 'chain', at, node, fields };
    }
  }

  #term(): Operand | undefined {
    const token = this.#takeWord();
    const { at, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!Object.hasOwn(this.#input.functions, text)) this.#fail(`function ${JSON.stringify(text)} not defined`);
        return { kind: 'identifier', at, name: text };
      case 'dot':
        return { kind: 'dot', at };
      case 'variable':
        if (!this.#variables.includes(text)) this.#fail(`undefined variable ${JSON.stringify(text)}`);
        return { kind: 'variable', at, path: [text] };
      case 'field':
        return { kind: 'field', at, path: [text.slice(1)] };
      case 'bool':
        return { kind: 'bool', at, value: text === 'true' };
      case 'character':
      case 'complex':
      case 'number':
        return this.#number(token);
      case 'string':
      case 'raw-string':
        return { kind: 'string', at, source: text, value: this.#unquote(text) };
      case 'open':
        return this.#parenthesized();
      default:
        if (isKeyword(token, 'nil')) return { kind: 'nil', at };
        this.#next -= 1;
        return undefined;
    }
  }

  #number({ at, text }: Token): Operand {
    const number = parseNumber(text);
    if (typeof number === 'string') return this.#fail(number);
    return { kind: 'number', at, source: text, ...number };
  }

  #parenthesized(): PipeNode {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail('max expression depth exceeded');
    const pipe = this.#pipeline('parenthesized pipeline', 'close');
    this.#depth -= 1;
    return pipe;
  }

  #unquote(source: string): string {
    const text = unquote(source);
    return text ?? this.#fail('invalid syntax');
  }

  #expect(kind: TokenKind, where: string): Token {
    const token = this.#takeWord();
    return token.kind === kind ? token : this.#unexpected(token, where);
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? this.#last();
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #peekWord(): Token {
    let at = this.#next;
    while (this.#tokens[at]?.kind === 'space') at += 1;
    return this.#tokens[at] ?? this.#last();
  }

  #skipBlanks(): void {
    while (this.#tokens[this.#next]?.kind === 'space') this.#next += 1;
  }

  #takeWord(): Token {
    this.#skipBlanks();
    return this.#take();
  }

  #last(): Token {
    return this.#tokens.at(-1) ?? { kind: 'eof', at: 0, text: '', line: 1 };
  }

  #unexpected(token: Token, where: string): never {
    if (token.kind !== 'error') return this.#fail(`unexpected ${shown(token)} in ${where}`);
    if (this.#actionLine === 0 || this.#actionLine === token.line) return this.#fail(token.text);
    const started = ` started at ${this.#input.name}:${this.#actionLine}`;
    return this.#fail(`${token.text}${token.text.endsWith(' action') ? '' : ' in action'}${started}`);
  }

  #fail(message: string): never {
    const { line } = this.#tokens[Math.max(0, this.#next - 1)] ?? this.#last();
    throw new TemplateError(`template: ${this.#input.name}:${line}: ${message}`);
  }
}

function isKeyword(token: Token, word: string): boolean {
  return token.kind === 'keyword' && token.text === word;
}

function isEmpty(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
}

/** A word in an error text. */
function shown({ kind, text }: Token): string {
  if (kind === 'eof') return 'EOF';
  if (kind === 'keyword') return `<${text}>`;
  if (kind === 'dot') return '<.>';
  const characters = Array.from(text);
  return characters.length > 10 ? `${JSON.stringify(characters.slice(0, 10).join(''))}...` : JSON.stringify(text);
}
