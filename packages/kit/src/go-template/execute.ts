import { Evaluator, type Execution } from './evaluate.ts';
import type { Node, PipeNode, RangeNode, TemplateNode } from './nodes.ts';
import { format } from './print.ts';
import { TemplateError } from './template-error.ts';
import { isTrue } from './truth.ts';
import { intType } from './types.ts';
import {
  elemType,
  GoValue,
  goValue,
  indirect,
  indirectInterface,
  integerData,
  listData,
  type MaybeValue,
  mapEntries,
} from './value.ts';

const MAX_STEPS = 10_000_000;
const MAX_DEPTH = 500;

type Leave = 'break' | 'continue' | undefined;

/** What was written until the end, or until something went wrong. */
export interface Rendered {
  readonly text: string;
  readonly error: TemplateError | undefined;
}

/** Renders a template that was read. */
export function execute(execution: Execution): Rendered {
  const dot = goValue(execution.data);
  const run = new Run(execution, execution.name, dot);
  let problem: TemplateError | undefined;
  try {
    run.walk(dot, execution.trees.get(execution.name) ?? []);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    problem = error;
  }
  return { text: run.output.join(''), error: problem };
}

class Run {
  readonly output: string[];
  readonly #execution: Execution;
  readonly #depth: number;
  readonly #steps: { left: number };
  readonly #values: Evaluator;

  constructor(execution: Execution, template: string, dot: MaybeValue, outer?: Run) {
    this.#execution = execution;
    this.output = outer?.output ?? [];
    this.#depth = outer === undefined ? 0 : outer.#depth + 1;
    this.#steps = outer === undefined ? { left: execution.maxSteps ?? MAX_STEPS } : outer.#steps;
    this.#values = new Evaluator(execution, template, dot);
  }

  walk(dot: MaybeValue, nodes: readonly Node[]): Leave {
    for (const node of nodes) {
      this.#values.at = node;
      this.#steps.left -= 1;
      if (this.#steps.left < 0) this.#values.fail('too many steps');
      const leave = this.#walkNode(dot, node);
      if (leave !== undefined) return leave;
    }
    return undefined;
  }

  #walkNode(dot: MaybeValue, node: Node): Leave {
    switch (node.kind) {
      case 'text':
        this.output.push(node.text);
        return undefined;
      case 'action': {
        const value = this.#values.pipeline(dot, node.pipe);
        this.#values.at = node;
        if (node.pipe.variables.length === 0) this.output.push(this.#print(value));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'range':
        return this.#range(dot, node);
      case 'template':
        this.#callTemplate(dot, node);
        return undefined;
      default: {
        const mark = this.#values.variables.length;
        const value = this.#values.pipeline(dot, node.pipe);
        const chosen = isTrue(indirectInterface(value)) ? node.list : node.otherwise;
        const inner = chosen === node.list && node.kind === 'with' ? value : dot;
        const leave = chosen === undefined ? undefined : this.walk(inner, chosen);
        this.#values.variables.length = mark;
        return leave;
      }
    }
  }

  #print(value: MaybeValue): string {
    if (value === undefined) return '<no value>';
    const pointed = value.type.kind === 'pointer' ? indirect(value) : { value, nil: false };
    if (pointed.nil || pointed.value === undefined) return '<nil>';
    return format(pointed.value);
  }

  #range(dot: MaybeValue, node: RangeNode): Leave {
    const outerMark = this.#values.variables.length;
    const { value } = indirect(this.#values.pipeline(dot, node.pipe));
    const mark = this.#values.variables.length;
    let any = false;
    for (const [key, item] of this.#items(value, node)) {
      any = true;
      this.#setRangeVariables(node.pipe, key, item);
      const leave = this.walk(item, node.list);
      this.#values.variables.length = mark;
      if (leave === 'break') break;
    }
    const leave = any || node.otherwise === undefined ? undefined : this.walk(dot, node.otherwise);
    this.#values.variables.length = outerMark;
    return leave;
  }

  #setRangeVariables({ variables, assigns }: PipeNode, key: MaybeValue, item: MaybeValue): void {
    const [first, second] = variables;
    if (first === undefined) return;
    const values = second === undefined ? [item] : [key, item];
    for (const [index, value] of values.entries()) {
      if (assigns) this.#values.assign(variables[index]?.path[0] ?? '', value);
      else {
        const variable = this.#values.variables[this.#values.variables.length - variables.length + index];
        if (variable !== undefined) variable.value = value;
      }
    }
  }

  *#items(value: MaybeValue, node: RangeNode): Iterable<readonly [MaybeValue, MaybeValue]> {
    if (value === undefined) return;
    switch (value.type.kind) {
      case 'int':
      case 'uint': {
        if (node.pipe.variables.length > 1) {
          this.#values.fail(`can't use ${format(value)} to iterate over more than one variable`);
        }
        const end = integerData(value);
        for (let at = 0n; at < end; at += 1n) yield [undefined, new GoValue(value.type, Number(at))];
        return;
      }
      case 'slice':
      case 'array': {
        const elem = elemType(value);
        for (const [index, data] of listData(value).entries()) {
          yield [new GoValue(intType, index), new GoValue(elem, data)];
        }
        return;
      }
      case 'map': {
        const { key, elem } = value.type;
        for (const [name, data] of mapEntries(value)) {
          yield [new GoValue(key, key.kind === 'string' ? name : Number(name)), new GoValue(elem, data)];
        }
        return;
      }
      case 'interface':
      case 'pointer':
        if (value.type.kind === 'interface') return;
    }
    this.#values.fail(`range can't iterate over ${format(value)}`);
  }

  #callTemplate(dot: MaybeValue, node: TemplateNode): void {
    const tree = this.#execution.trees.get(node.name);
    if (tree === undefined) this.#values.fail(`template ${JSON.stringify(node.name)} not defined`);
    if (this.#depth >= MAX_DEPTH) this.#values.fail(`exceeded maximum template depth (${MAX_DEPTH})`);
    const inner = node.pipe === undefined ? undefined : this.#values.pipeline(dot, node.pipe);
    new Run(this.#execution, node.name, inner, this).walk(inner, tree);
  }
}
