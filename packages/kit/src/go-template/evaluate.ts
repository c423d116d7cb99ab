import type { GoFunction, GoFunctions } from './functions.ts';
import {
  type ChainNode,
  type CommandNode,
  type Node,
  type NumberNode,
  type Operand,
  type PipeNode,
  sourceOf,
} from './nodes.ts';
import { TemplateError } from './template-error.ts';
import { isTrue } from './truth.ts';
import {
  boolType,
  floatType,
  type GoMethod,
  type GoType,
  int64Type,
  intType,
  isAssignable,
  stringType,
} from './types.ts';
import {
  fieldData,
  findField,
  GoValue,
  goValue,
  indirect,
  indirectInterface,
  isAbsent,
  type MaybeValue,
  mapEntry,
} from './value.ts';

export type MissingKey = 'default' | 'error';

/** What a template is carried out with. */
export interface Execution {
  readonly trees: ReadonlyMap<string, readonly Node[]>;
  readonly text: string;
  readonly name: string;
  readonly functions: GoFunctions;
  readonly missingKey: MissingKey;
  readonly maxSteps?: number;
  readonly data: unknown;
}

/** No value came down the pipe; unlike `undefined`, which is one that is not there. */
const NONE = Symbol('none');

type Piped = MaybeValue | typeof NONE;

/**
 * Values of pipelines within one template.
 *
 * - `at` is the node that an error is said of: as in Go the last one looked at, which is not always the one at fault.
 * - Variables stay on their stack until whoever opened their scope cuts it.
 */
export class Evaluator {
  readonly variables: { readonly name: string; value: MaybeValue }[];
  at: Node | Operand | CommandNode | undefined;
  readonly #execution: Execution;
  readonly #template: string;

  constructor(execution: Execution, template: string, dot: MaybeValue) {
    this.#execution = execution;
    this.#template = template;
    this.variables = [{ name: '$', value: dot }];
  }

  /** The value of a pipeline; variables it declares are set. */
  pipeline(dot: MaybeValue, pipe: PipeNode): MaybeValue {
    this.at = pipe;
    let value: Piped = NONE;
    for (const command of pipe.commands) value = indirectInterface(this.#command(dot, command, value));
    const result = value === NONE ? undefined : value;
    for (const { path } of pipe.variables) {
      if (pipe.assigns) this.assign(path[0] ?? '', result);
      else this.variables.push({ name: path[0] ?? '', value: result });
    }
    return result;
  }

  /** Sets a variable that is there. */
  assign(name: string, value: MaybeValue): void {
    const variable = this.variables.findLast((each) => each.name === name);
    if (variable === undefined) this.fail(`undefined variable: ${name}`);
    variable.value = value;
  }

  #command(dot: MaybeValue, command: CommandNode, piped: Piped): MaybeValue {
    const [first, ...rest] = command.words;
    if (first === undefined) return this.fail('empty command');
    switch (first.kind) {
      case 'field':
        this.at = first;
        return this.#fieldChain(dot, dot, first, { path: first.path, words: rest, piped });
      case 'chain':
        return this.#chain(dot, first, { words: rest, piped });
      case 'identifier':
        this.at = first;
        return this.#function({ dot, name: first.name, words: rest, piped, node: command });
      case 'pipe':
        this.#notAFunction(first, rest, piped);
        return this.pipeline(dot, first);
      case 'variable':
        return this.#variable(dot, first, { words: rest, piped });
    }
    this.at = first;
    this.#notAFunction(first, rest, piped);
    switch (first.kind) {
      case 'bool':
        return new GoValue(boolType, first.value);
      case 'dot':
        return dot;
      case 'nil':
        return this.fail('nil is not a command');
      case 'number':
        return this.#constant(first);
      case 'string':
        return new GoValue(stringType, first.value);
    }
  }

  #notAFunction(first: Operand, rest: readonly Operand[], piped: Piped): void {
    if (rest.length === 0 && piped === NONE) return;
    const shown = first.kind === 'pipe' ? sourceOf(first) : sourceOf(first);
    this.fail(`can't give argument to non-function ${shown}`);
  }

  #constant(node: NumberNode): MaybeValue {
    this.at = node;
    const { source, integer, float } = node;
    const hex = /^0[xX]/.test(source) && !/[pP]/.test(source);
    if (float !== undefined && !hex && !source.startsWith("'") && /[.eEpP]/.test(source)) {
      return new GoValue(floatType, float);
    }
    if (integer === undefined || integer > 2n ** 63n - 1n) return this.fail(`${source} overflows int`);
    return new GoValue(intType, integer);
  }

  #variable(
    dot: MaybeValue,
    node: Extract<Operand, { kind: 'variable' }>,
    how: { readonly words: readonly Operand[]; readonly piped: Piped },
  ): MaybeValue {
    this.at = node;
    const [name = '', ...path] = node.path;
    const variable = this.variables.findLast((each) => each.name === name);
    if (variable === undefined) return this.fail(`undefined variable: ${name}`);
    if (path.length > 0) return this.#fieldChain(dot, variable.value, node, { path, ...how });
    this.#notAFunction(node, how.words, how.piped);
    return variable.value;
  }

  #chain(
    dot: MaybeValue,
    node: ChainNode,
    how: { readonly words: readonly Operand[]; readonly piped: Piped },
  ): MaybeValue {
    this.at = node;
    if (node.node.kind === 'nil') return this.fail(`indirection through explicit nil in ${sourceOf(node)}`);
    const receiver = this.#argument(dot, 'value', node.node);
    return this.#fieldChain(dot, receiver, node, { path: node.fields, ...how });
  }

  #fieldChain(
    dot: MaybeValue,
    receiver: MaybeValue,
    node: Operand,
    how: { readonly path: readonly string[]; readonly words: readonly Operand[]; readonly piped: Piped },
  ): MaybeValue {
    let value = receiver;
    for (const [index, name] of how.path.entries()) {
      const last = index === how.path.length - 1;
      value = this.#field(dot, value, {
        ...{ name, node },
        words: last ? how.words : [],
        piped: last ? how.piped : NONE,
      });
    }
    return value;
  }

  #field(
    dot: MaybeValue,
    receiver: MaybeValue,
    asked: { readonly name: string; readonly node: Operand; readonly words: readonly Operand[]; readonly piped: Piped },
  ): MaybeValue {
    const { name, words, piped } = asked;
    if (receiver === undefined) {
      if (this.#execution.missingKey === 'error') this.fail(`nil data; no entry for key ${JSON.stringify(name)}`);
      return undefined;
    }
    const typeName = receiver.type.name;
    const { value, nil } = indirect(receiver);
    if (value === undefined) return undefined;
    if (value.type.kind === 'interface') return this.fail(`nil pointer evaluating ${typeName}.${name}`);
    const struct = value.type.kind === 'pointer' ? value.type.elem : value.type;
    const method = 'methods' in struct && !nil ? methodOf(struct.methods, name) : undefined;
    if (method !== undefined) return this.#method({ dot, method, receiver: value, ...asked });
    const called = words.length > 0 || piped !== NONE;
    if (value.type.kind === 'struct') {
      const field = findField(value.type, name);
      if (field !== undefined) {
        if (called) return this.fail(`${name} has arguments but cannot be invoked as function`);
        return new GoValue(field.type, fieldData(value.data, field));
      }
    } else if (value.type.kind === 'map' && value.type.key.name === 'string') {
      if (called) return this.fail(`${name} is not a method but has arguments`);
      const { found, data } = mapEntry(value, name);
      if (found) return new GoValue(value.type.elem, data);
      if (this.#execution.missingKey === 'error') this.fail(`map has no entry for key ${JSON.stringify(name)}`);
      return undefined;
    } else if (nil && !(struct.kind === 'struct' && findField(struct, name) === undefined)) {
      return this.fail(`nil pointer evaluating ${typeName}.${name}`);
    }
    return this.fail(`can't evaluate field ${name} in type ${typeName}`);
  }

  #method(asked: {
    readonly dot: MaybeValue;
    readonly method: GoMethod;
    readonly receiver: GoValue;
    readonly name: string;
    readonly node: Operand;
    readonly words: readonly Operand[];
    readonly piped: Piped;
  }): MaybeValue {
    const { method, receiver, ...call } = asked;
    const invoke: GoFunction = {
      parameters: method.parameters,
      call: (...values) =>
        new GoValue(method.result, method.call(receiver.data, ...values.map((value) => value?.data))),
    };
    return this.#call({ ...call, invoke });
  }

  #function(asked: {
    readonly dot: MaybeValue;
    readonly name: string;
    readonly words: readonly Operand[];
    readonly piped: Piped;
    readonly node: Operand | CommandNode;
  }): MaybeValue {
    if (asked.name === 'call' && asked.words.length > 0) this.#callValue(asked.dot, asked.words[0], asked.node);
    const { functions } = this.#execution;
    const invoke = Object.hasOwn(functions, asked.name) ? functions[asked.name] : undefined;
    if (invoke === undefined) return this.fail(`${JSON.stringify(asked.name)} is not a defined function`);
    return this.#call({ ...asked, invoke });
  }

  /** `call x`: no data here is a function. */
  #callValue(dot: MaybeValue, callee: Operand | undefined, node: Operand | CommandNode): void {
    if (callee === undefined) return;
    const value = indirectInterface(this.#argument(dot, 'value', callee));
    this.at = node;
    if (value === undefined) this.fail('error calling call: call of nil');
    this.fail(`error calling call: non-function ${sourceOf(callee)} of type ${value.type.name}`);
  }

  #call(asked: {
    readonly dot: MaybeValue;
    readonly name: string;
    readonly words: readonly Operand[];
    readonly piped: Piped;
    readonly node: Operand | CommandNode;
    readonly invoke: GoFunction;
  }): MaybeValue {
    const { dot, name, words, piped, invoke, node } = asked;
    const given = words.length + (piped === NONE ? 0 : 1);
    const fixed = invoke.parameters.length;
    if (invoke.more === undefined && given !== fixed) {
      return this.fail(`wrong number of args for ${name}: want ${fixed} got ${given}`);
    }
    if (given < fixed) return this.fail(`wrong number of args for ${name}: want at least ${fixed} got ${words.length}`);
    const typeAt = (index: number) => invoke.parameters[index] ?? invoke.more ?? 'value';
    if (name === 'and' || name === 'or') return this.#junction(dot, name, words, piped);
    const values = words.map((word, index) => this.#argument(dot, typeAt(index), word));
    if (piped !== NONE) values.push(this.#checked(piped, typeAt(words.length)));
    try {
      return invoke.call(...values);
    } catch (error) {
      if (error instanceof TemplateError || !(error instanceof Error)) throw error;
      this.at = node;
      return this.fail(`error calling ${name}: ${error.message}`);
    }
  }

  /** `and` and `or` look no further than they must. */
  #junction(dot: MaybeValue, name: 'and' | 'or', words: readonly Operand[], piped: Piped): MaybeValue {
    let value: MaybeValue;
    for (const word of words) {
      value = this.#argument(dot, 'value', word);
      if (isTrue(indirectInterface(value)) === (name === 'or')) return value;
    }
    return piped === NONE ? value : piped;
  }

  /** Checks that a value may be given for a parameter. */
  #checked(value: MaybeValue, type: GoType | 'value'): MaybeValue {
    if (type === 'value') return value;
    if (value === undefined) {
      if (canBeNil(type)) return type.kind === 'interface' ? undefined : new GoValue(type, undefined);
      return this.fail(`invalid value; expected ${type.name}`);
    }
    if (isAssignable(value.type, type)) return value;
    const inner = value.type.kind === 'interface' ? goValue(value.data) : value;
    if (inner !== undefined && isAssignable(inner.type, type)) return inner;
    const from = inner ?? value;
    if (from.type.kind === 'pointer' && isAssignable(from.type.elem, type)) {
      if (isAbsent(from.data)) return this.fail(`dereference of nil pointer of type ${type.name}`);
      return new GoValue(from.type.elem, from.data);
    }
    return this.fail(`wrong type for value; expected ${type.name}; got ${from.type.name}`);
  }

  #argument(dot: MaybeValue, type: GoType | 'value', node: Operand): MaybeValue {
    this.at = node;
    const nothing = { words: [], piped: NONE } as const;
    switch (node.kind) {
      case 'dot':
        return this.#checked(dot, type);
      case 'nil':
        if (type === 'value') return undefined;
        if (canBeNil(type)) return type.kind === 'interface' ? undefined : new GoValue(type, undefined);
        return this.fail(`cannot assign nil to ${type.name}`);
      case 'field':
        return this.#checked(this.#fieldChain(dot, dot, node, { path: node.path, ...nothing }), type);
      case 'variable':
        return this.#checked(this.#variable(dot, node, nothing), type);
      case 'pipe':
        return this.#checked(this.pipeline(dot, node), type);
      case 'identifier':
        return this.#checked(this.#function({ dot, name: node.name, node, ...nothing }), type);
      case 'chain':
        return this.#checked(this.#chain(dot, node, nothing), type);
      default:
        return this.#literal(type, node);
    }
  }

  #literal(type: GoType | 'value', node: Extract<Operand, { kind: 'bool' | 'number' | 'string' }>): MaybeValue {
    const kind = type === 'value' ? 'interface' : type.kind;
    const wanted = type === 'value' || type.kind === 'interface' ? undefined : type;
    switch (kind) {
      case 'interface':
        if (node.kind === 'number') return this.#constant(node);
        return new GoValue(node.kind === 'bool' ? boolType : stringType, node.value);
      case 'bool':
        if (node.kind === 'bool') return new GoValue(wanted ?? boolType, node.value);
        return this.fail(`expected bool; found ${sourceOf(node)}`);
      case 'string':
        if (node.kind === 'string') return new GoValue(wanted ?? stringType, node.value);
        return this.fail(`expected string; found ${sourceOf(node)}`);
      case 'int':
      case 'uint':
        if (node.kind === 'number' && node.integer !== undefined) return new GoValue(wanted ?? int64Type, node.integer);
        return this.fail(`expected ${kind === 'int' ? '' : 'unsigned '}integer; found ${sourceOf(node)}`);
      case 'float':
        if (node.kind === 'number' && node.float !== undefined) return new GoValue(wanted ?? floatType, node.float);
        return this.fail(`expected float; found ${sourceOf(node)}`);
      default:
        return this.fail(`can't handle ${sourceOf(node)} for arg of type ${wanted?.name ?? ''}`);
    }
  }

  /** Throws TemplateError for the node looked at. */
  fail(message: string): never {
    const node = this.at;
    const { text, name } = this.#execution;
    if (node === undefined) throw new TemplateError(`template: ${name}: ${message}`);
    const before = text.slice(0, node.at);
    const lines = before.split('\n');
    const column = new TextEncoder().encode(lines.at(-1)).length;
    const where = `${name}:${lines.length}:${column}`;
    throw new TemplateError(
      `template: ${where}: executing ${JSON.stringify(this.#template)} at <${sourceOf(node)}>: ${message}`,
    );
  }
}

function methodOf(methods: Readonly<Record<string, GoMethod>> | undefined, name: string): GoMethod | undefined {
  return methods !== undefined && Object.hasOwn(methods, name) ? methods[name] : undefined;
}

function canBeNil(type: GoType): boolean {
  return ['interface', 'map', 'pointer', 'slice'].includes(type.kind);
}
