import type { DockerfileSyntax, InstructionNode } from './ast.ts';
import { DirectiveReader } from './directives.ts';
import { type Heredoc, heredocsOf } from './heredoc.ts';
import { MAX_LINE_LENGTH } from './limits.ts';
import { DockerfileError, type LineRange, withLocation } from './location.ts';
import { parseNode } from './parse-node.ts';

const WITH_HEREDOCS: ReadonlySet<string> = new Set(['add', 'copy', 'run']);

/**
 * Reads a Dockerfile's text into its instructions (Dockerfile reference, "Format"): directives, remarks, continuations and heredocs
 * are dealt with here, what an instruction means is not. Throws a DockerfileError with the lines of the fault.
 */
export function parseSyntax(text: string): DockerfileSyntax {
  return new Parser(text).parse();
}

class Parser {
  readonly #lines: readonly string[];
  readonly #directives = new DirectiveReader();
  readonly #nodes: InstructionNode[] = [];
  readonly #emptyContinuations: number[] = [];
  #escape = '\\';
  /** The line that is read next, from 0; so it is also the number of the last one read, from 1. */
  #at = 0;
  #comments: string[] = [];

  constructor(text: string) {
    const lines = text.replace(/^\uFEFF/, '').split(/(?<=\n)/);
    if (lines.at(-1) === '') lines.pop();
    this.#lines = lines;
  }

  parse(): DockerfileSyntax {
    for (let raw = this.#nextLine(); raw !== undefined; raw = this.#nextLine()) {
      const start = this.#at;
      const line = withoutNewline(raw).trimStart();
      this.#collectComment(raw);
      if (this.#directive(line)) this.#comments.pop();
      const first = this.#continuation(isComment(line) ? '' : line);
      if (!first.continues && first.text === '') continue;
      this.#instruction(start, first);
    }
    if (this.#nodes.length === 0) {
      const last = this.#at === 0 ? undefined : { start: this.#at, end: this.#at };
      throw new DockerfileError('file with no instructions', last);
    }
    return { nodes: this.#nodes, escape: this.#escape, emptyContinuations: this.#emptyContinuations };
  }

  #nextLine(): string | undefined {
    const line = this.#lines[this.#at];
    if (line === undefined) return undefined;
    this.#at += 1;
    if (line.length > MAX_LINE_LENGTH) {
      throw new DockerfileError(`dockerfile line greater than max allowed size of ${MAX_LINE_LENGTH}`, this.#here);
    }
    return line;
  }

  get #here(): LineRange {
    return { start: this.#at, end: this.#at };
  }

  #collectComment(raw: string): void {
    if (!isComment(raw)) return;
    const comment = raw.trimStart().slice(1).trim();
    if (comment === '') this.#comments = [];
    else this.#comments.push(comment);
  }

  #directive(line: string): boolean {
    const directive = this.#directives.read(line);
    if (directive?.name === 'escape') {
      if (directive.value !== '\\' && directive.value !== '`') {
        throw new DockerfileError(`invalid escape token '${directive.value}' does not match \` or \\`, this.#here);
      }
      this.#escape = directive.value;
    }
    return directive !== undefined;
  }

  #instruction(start: number, first: { readonly text: string; readonly continues: boolean }): void {
    let { text, continues } = first;
    let hadEmptyLine = false;
    while (continues) {
      const raw = this.#nextLine();
      if (raw === undefined) break;
      if (isComment(raw)) continue;
      const line = withoutNewline(raw);
      if (line.trim() === '') {
        hadEmptyLine = true;
        continue;
      }
      const next = this.#continuation(line);
      text += next.text;
      continues = next.continues;
    }
    if (hadEmptyLine) this.#emptyContinuations.push(this.#at);
    const comments = this.#comments;
    this.#comments = [];
    try {
      const node = parseNode(text, this.#escape);
      const heredocs = this.#heredocs(node, text);
      this.#nodes.push({ ...node, heredocs, comments, location: { start, end: this.#at } });
    } catch (error) {
      throw withLocation(error, { start, end: this.#at });
    }
  }

  #heredocs(node: Omit<InstructionNode, 'location' | 'comments' | 'heredocs'>, text: string): readonly Heredoc[] {
    const bearer = node.keyword.toLowerCase() === 'onbuild' ? node.inner : node;
    if (bearer === undefined || bearer.json || !WITH_HEREDOCS.has(bearer.keyword.toLowerCase())) return [];
    return text.includes('<<') ? heredocsOf(text).map((heredoc) => this.#body(heredoc)) : [];
  }

  #body(heredoc: Omit<Heredoc, 'content'>): Heredoc {
    let content = '';
    for (let raw = this.#nextLine(); raw !== undefined; raw = this.#nextLine()) {
      const line = withoutNewline(raw);
      if ((heredoc.chomp ? line.replace(/^\t+/, '') : line) === heredoc.name) return { ...heredoc, content };
      content += raw;
    }
    throw new DockerfileError('unterminated heredoc');
  }

  /** An escape character at the end of a line joins it to the next, unless another stands before it. */
  #continuation(line: string): { readonly text: string; readonly continues: boolean } {
    const end = withoutEnd(line, ' \t');
    if (!end.endsWith(this.#escape) || end.at(-2) === this.#escape) return { text: line, continues: false };
    return { text: end.slice(0, -1), continues: true };
  }
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

function withoutNewline(line: string): string {
  return withoutEnd(line, '\r\n');
}

/** Takes characters off the end, by hand: a regular expression would begin anew at each run of them in the middle. */
function withoutEnd(line: string, characters: string): string {
  let end = line.length;
  while (end > 0 && characters.includes(line[end - 1] ?? '')) end -= 1;
  return line.slice(0, end);
}
