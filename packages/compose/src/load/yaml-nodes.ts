import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { LIMITS } from './limits.ts';
import { Problem } from './problem.ts';
import { libyamlWords } from './yaml-words.ts';

/** A node of a YAML document with the offset it starts at. Aliases stay aliases: `yaml-values.ts` writes them out. */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping | YamlAlias;

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly offset: number;
  /** As written (`!reset`, `!!str`); empty for none. */
  readonly tag: string;
  readonly text: string;
  /** Written without quotes and not as a block: only then it may be a number, a boolean or null. */
  readonly plain: boolean;
}

export interface YamlSequence {
  readonly kind: 'sequence';
  readonly offset: number;
  readonly tag: string;
  readonly items: YamlNode[];
}

export interface YamlMapping {
  readonly kind: 'mapping';
  readonly offset: number;
  readonly tag: string;
  readonly entries: { readonly key: YamlNode; readonly value: YamlNode }[];
}

export interface YamlAlias {
  readonly kind: 'alias';
  readonly offset: number;
  readonly name: string;
  readonly target: YamlNode;
}

/** A file as YAML sees it. */
export interface YamlFile {
  /** As messages name it. */
  readonly name: string;
  readonly source: string;
  readonly documents: readonly YamlNode[];
}

/** Parses all documents of a file. Throws a `Problem` in go-yaml's words, which is where compose's come from. */
export function parseYaml(name: string, source: string): YamlFile {
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  let events: Event[];
  try {
    events = parseEvents(text, { filename: name, maxDepth: LIMITS.depth });
  } catch (error) {
    throw error instanceof YAMLException ? syntaxProblem(name, text, error) : error;
  }
  return { name, source: text, documents: new NodeReader(name, text, events).documents() };
}

/** Line and column, both from 1, of an offset. */
export function positionOf(file: YamlFile, offset: number): { file: string; line: number; column: number } {
  return { file: file.name, ...lineColumn(file.source, offset) };
}

function lineColumn(source: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: Math.max(1, offset - start + 1) };
}

class NodeReader {
  readonly #name: string;
  readonly #source: string;
  readonly #events: readonly Event[];
  #next = 0;
  #anchors = new Map<string, YamlNode>();

  constructor(name: string, source: string, events: readonly Event[]) {
    this.#name = name;
    this.#source = source;
    this.#events = events;
  }

  documents(): YamlNode[] {
    const found: YamlNode[] = [];
    while (this.#next < this.#events.length) {
      this.#next += 1;
      this.#anchors = new Map();
      if (this.#events[this.#next]?.type !== EVENT_ID.POP) found.push(this.#node());
      this.#next += 1;
    }
    return found;
  }

  #node(): YamlNode {
    const event = this.#events[this.#next];
    this.#next += 1;
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.SEQUENCE: {
        const node: YamlSequence = { kind: 'sequence', offset: event.start, tag: this.#tag(event), items: [] };
        this.#anchor(event, node);
        while (this.#events[this.#next]?.type !== EVENT_ID.POP) node.items.push(this.#node());
        this.#next += 1;
        return node;
      }
      case EVENT_ID.MAPPING: {
        const node: YamlMapping = { kind: 'mapping', offset: event.start, tag: this.#tag(event), entries: [] };
        this.#anchor(event, node);
        while (this.#events[this.#next]?.type !== EVENT_ID.POP) {
          const key = this.#node();
          node.entries.push({ key, value: this.#node() });
        }
        this.#next += 1;
        return node;
      }
      case EVENT_ID.ALIAS: {
        const name = this.#source.slice(event.anchorStart, event.anchorEnd);
        const target = this.#anchors.get(name);
        const offset = event.anchorStart - 1;
        if (target === undefined)
          throw new Problem(`yaml: unknown anchor '${name}' referenced`, {
            at: { file: this.#name, ...lineColumn(this.#source, offset) },
            suggestion: `write "&${name}" at what it stands for, above this line`,
          });
        return { kind: 'alias', offset, name, target };
      }
      default:
        throw new Error('an event that cannot come here');
    }
  }

  #scalar(event: Extract<Event, { type: typeof EVENT_ID.SCALAR }>): YamlScalar {
    const node: YamlScalar = {
      kind: 'scalar',
      offset: this.#offsetOf(event),
      tag: this.#tag(event),
      text: event.valueStart === -1 ? '' : getScalarValue(this.#source, event),
      plain: event.style === SCALAR_STYLE.PLAIN,
    };
    this.#anchor(event, node);
    return node;
  }

  #offsetOf(event: Extract<Event, { type: typeof EVENT_ID.SCALAR }>): number {
    if (event.valueStart === -1) return this.#emptyAt();
    const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    return event.valueStart - (quoted ? 1 : 0);
  }

  /** An empty value has no place of its own: it is where the token before it ended. */
  #emptyAt(): number {
    const before = this.#events[this.#next - 2];
    return before?.type === EVENT_ID.SCALAR ? before.valueStart : 0;
  }

  #tag(event: { tagStart: number; tagEnd: number }): string {
    return event.tagStart === -1 ? '' : this.#source.slice(event.tagStart, event.tagEnd);
  }

  #anchor(event: { anchorStart: number; anchorEnd: number }, node: YamlNode): void {
    if (event.anchorStart !== -1) this.#anchors.set(this.#source.slice(event.anchorStart, event.anchorEnd), node);
  }
}

function syntaxProblem(name: string, source: string, error: YAMLException): Problem {
  const mark = error.mark;
  const at = { file: name, line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 };
  const reason = libyamlWords({
    source,
    reason: error.reason ?? 'the file is not YAML',
    position: mark?.position ?? 0,
  });
  const where = at.line > 1 ? `line ${at.line}: ` : '';
  return new Problem(`yaml: ${where}${reason}`, { at, suggestion: error.reason });
}
