import { dockerFunctions } from './docker-functions.ts';
import type { MissingKey } from './evaluate.ts';
import { execute, type Rendered } from './execute.ts';
import type { GoFunctions } from './functions.ts';
import type { Node } from './nodes.ts';
import { parseTemplate } from './parse.ts';

export interface RenderOptions {
  /** What a map without the key asked for gives: nothing (`<no value>`), or an error. */
  readonly missingKey?: 'default' | 'error';
  /** Functions that stand in place of those known when the text was read. */
  readonly functions?: GoFunctions;
  /** How often an action may be carried out; templates of strangers get few. */
  readonly maxSteps?: number;
}

/** Go's text/template with the functions docker adds. Read once, rendered for many values. */
export class GoTemplate {
  readonly #trees: ReadonlyMap<string, readonly Node[]>;
  readonly #text: string;
  readonly #functions: GoFunctions;
  readonly #name: string;

  /** Throws TemplateError (`template: :1: unclosed action`). `name` stands in the error texts; docker's templates have none. */
  constructor(text: string, options: { readonly name?: string; readonly functions?: GoFunctions } = {}) {
    this.#text = text;
    this.#name = options.name ?? '';
    this.#functions = options.functions ?? dockerFunctions;
    this.#trees = parseTemplate({ name: this.#name, text, functions: this.#functions });
  }

  /**
   * Renders the template for plain data (as `interface{}` would hold it) or a `GoValue`.
   * Throws TemplateError (`template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type …`).
   */
  render(data: unknown, options: RenderOptions = {}): string {
    const { text, error } = this.renderPart(data, options);
    if (error !== undefined) throw error;
    return text;
  }

  /** As `render()`, but gives what was written before an error together with it. */
  renderPart(data: unknown, options: RenderOptions = {}): Rendered {
    const missingKey: MissingKey = options.missingKey ?? 'default';
    const functions = options.functions === undefined ? this.#functions : { ...this.#functions, ...options.functions };
    return execute({
      ...{ trees: this.#trees, text: this.#text, name: this.#name, functions, missingKey },
      ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
      data,
    });
  }
}
