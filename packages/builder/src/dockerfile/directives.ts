import { DockerfileError } from './location.ts';

export type DirectiveName = 'syntax' | 'escape' | 'check';

export interface Directive {
  readonly name: DirectiveName;
  readonly value: string;
  readonly line: number;
}

const FORM = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+)$/;
const KNOWN: ReadonlySet<string> = new Set<DirectiveName>(['syntax', 'escape', 'check']);

/**
 * Reads parser directives line by line (Dockerfile reference, "Parser directives"): `# key=value` before anything else; the first
 * line that is none of the known ones ends them, even a remark. A directive that comes twice is an error.
 */
export class DirectiveReader {
  readonly found: Directive[] = [];
  readonly #prefix: string;
  #line = 0;
  #done = false;

  constructor(prefix = '#') {
    this.#prefix = prefix;
  }

  /** Takes the next line; returns the directive when it is one. */
  read(line: string): Directive | undefined {
    this.#line += 1;
    if (this.#done) return undefined;
    const match = line.startsWith(this.#prefix) ? FORM.exec(line.slice(this.#prefix.length).trim()) : null;
    const name = match?.[1]?.toLowerCase();
    if (match === null || !isKnown(name)) {
      this.#done = true;
      return undefined;
    }
    if (this.found.some((directive) => directive.name === name)) {
      throw new DockerfileError(`only one ${name} parser directive can be used`, {
        start: this.#line,
        end: this.#line,
      });
    }
    const directive = { name, value: match[2] ?? '', line: this.#line };
    this.found.push(directive);
    return directive;
  }
}

function isKnown(name: string | undefined): name is DirectiveName {
  return name !== undefined && KNOWN.has(name);
}

/** The value of one directive of a Dockerfile's text; undefined when it has none. */
export function directiveOf(text: string, name: DirectiveName): string | undefined {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (lines[0]?.startsWith('#!')) lines.shift();
  const reader = new DirectiveReader();
  for (const line of lines) {
    if (reader.read(line.replace(/\r$/, '')) === undefined) break;
  }
  return reader.found.find((directive) => directive.name === name)?.value;
}
