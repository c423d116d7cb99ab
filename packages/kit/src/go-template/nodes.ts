/** What a template is made of once read; `at` is the place in the text, in UTF-16 units. */
export type Node =
  | TextNode
  | ActionNode
  | BranchNode
  | RangeNode
  | TemplateNode
  | { readonly kind: 'break' | 'continue'; readonly at: number };

export interface TextNode {
  readonly kind: 'text';
  readonly at: number;
  readonly text: string;
}

export interface ActionNode {
  readonly kind: 'action';
  readonly at: number;
  readonly pipe: PipeNode;
}

export interface BranchNode {
  readonly kind: 'if' | 'with';
  readonly at: number;
  readonly pipe: PipeNode;
  readonly list: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

export interface RangeNode {
  readonly kind: 'range';
  readonly at: number;
  readonly pipe: PipeNode;
  readonly list: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

export interface TemplateNode {
  readonly kind: 'template';
  readonly at: number;
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export interface PipeNode {
  readonly kind: 'pipe';
  readonly at: number;
  readonly assigns: boolean;
  readonly variables: readonly VariableNode[];
  readonly commands: readonly CommandNode[];
}

export interface CommandNode {
  readonly kind: 'command';
  readonly at: number;
  readonly words: readonly Operand[];
}

export type Operand =
  | PipeNode
  | VariableNode
  | { readonly kind: 'dot' | 'nil'; readonly at: number }
  | { readonly kind: 'bool'; readonly at: number; readonly value: boolean }
  | NumberNode
  | { readonly kind: 'string'; readonly at: number; readonly source: string; readonly value: string }
  | { readonly kind: 'identifier'; readonly at: number; readonly name: string }
  | { readonly kind: 'field'; readonly at: number; readonly path: readonly string[] }
  | ChainNode;

export interface VariableNode {
  readonly kind: 'variable';
  readonly at: number;
  /** `$x` and the fields asked of it. */
  readonly path: readonly string[];
}

export interface NumberNode {
  readonly kind: 'number';
  readonly at: number;
  readonly source: string;
  readonly integer: bigint | undefined;
  readonly float: number | undefined;
}

export interface ChainNode {
  readonly kind: 'chain';
  readonly at: number;
  readonly node: Operand;
  readonly fields: readonly string[];
}

/** The source of a node, as Go writes it in its error texts. */
export function sourceOf(node: Node | CommandNode | Operand): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${sourceOf(node.pipe)}}}`;
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.otherwise === undefined ? '' : `{{else}}${node.otherwise.map(sourceOf).join('')}`;
      return `{{${node.kind} ${sourceOf(node.pipe)}}}${node.list.map(sourceOf).join('')}${otherwise}{{end}}`;
    }
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipe === undefined ? '' : ` ${sourceOf(node.pipe)}`}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'pipe': {
      const declared = node.variables.map(sourceOf).join(', ');
      const start = declared === '' ? '' : `${declared} ${node.assigns ? '=' : ':='} `;
      return start + node.commands.map(sourceOf).join(' | ');
    }
    case 'command':
      return node.words.map((word) => (word.kind === 'pipe' ? `(${sourceOf(word)})` : sourceOf(word))).join(' ');
    default:
      return operandSource(node);
  }
}

function operandSource(node: Exclude<Operand, PipeNode>): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
    case 'string':
      return node.source;
    case 'identifier':
      return node.name;
    case 'field':
      return `.${node.path.join('.')}`;
    case 'variable':
      return node.path.join('.');
    case 'chain': {
      const start = node.node.kind === 'pipe' ? `(${sourceOf(node.node)})` : sourceOf(node.node);
      return `${start}.${node.fields.join('.')}`;
    }
  }
}
