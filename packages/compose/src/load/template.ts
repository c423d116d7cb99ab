/** Answers a variable's value; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** `${` that no variable follows; the whole text is what the message shows. */
export class InvalidTemplate extends Error {
  readonly template: string;

  constructor(template: string) {
    super(`Invalid template: ${JSON.stringify(template)}`);
    this.template = template;
  }
}

/** `${NAME:?reason}` of a variable that is not set. */
export class MissingVariable extends Error {
  constructor(name: string, reason: string) {
    super(`required variable ${name} is missing a value${reason === '' ? '' : `: ${reason}`}`);
  }
}

export interface SubstituteOptions {
  readonly lookup: Lookup;
  /** Told of each variable that is not set and has no default. */
  readonly unset?: ((name: string) => void) | undefined;
}

type Operator = ':?' | '?' | ':-' | '-' | ':+' | '+';
const OPERATORS: readonly Operator[] = [':?', '?', ':-', '-', ':+', '+'];

/**
 * A variable in a text. Groups: escaped, named, braced, and what opens a brace without a name. A brace's text ends at the line's last brace:
 * which one closes it is found by counting, because defaults may hold variables of their own.
 */
export const VARIABLE = /\$(?:(\$)|([_a-z][_a-z0-9]*)|\{(?:([_a-z][_a-z0-9]*(?::?[-+?][^\n]*)?)\}|()))/gi;

/**
 * Replaces variables in a text: `$A`, `${A}`, `${A:-default}`, `${A-default}`, `${A:?reason}`, `${A?reason}`,
 * `${A:+other}`, `${A+other}`, nested to any depth; `$$` is a dollar sign (Compose specification, "Interpolation").
 * Throws `InvalidTemplate` or `MissingVariable`.
 */
export function substitute(template: string, options: SubstituteOptions): string {
  if (!template.includes('$')) return template;
  return template.replace(VARIABLE, (match: string, ...groups: unknown[]) =>
    replaceOne(match, template, groups, options),
  );
}

function replaceOne(match: string, template: string, groups: readonly unknown[], options: SubstituteOptions): string {
  if (groups[0] !== undefined) return '$';
  if (typeof groups[1] === 'string') return plainValue(groups[1], options);
  const end = closingBrace(match);
  const own = end === -1 ? match : match.slice(0, end + 1);
  const rest = end === -1 ? '' : match.slice(end + 1);
  const body = /^\$\{([_a-z][_a-z0-9]*(?::?[-+?][^\n]*)?)\}$/i.exec(own)?.[1];
  if (body === undefined) throw new InvalidTemplate(template);
  const operator = firstOperator(match);
  if (operator === undefined || !body.includes(operator)) return plainValue(body, options);
  return applyOperator(operator, body, options) + substitute(rest, options);
}

function plainValue(name: string, options: SubstituteOptions): string {
  const value = options.lookup(name);
  if (value === undefined) options.unset?.(name);
  return value ?? '';
}

function applyOperator(operator: Operator, body: string, options: SubstituteOptions): string {
  const at = body.indexOf(operator);
  const name = body.slice(0, at);
  const word = substitute(body.slice(at + operator.length), options);
  const value = options.lookup(name);
  const there = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
  switch (operator) {
    case ':?':
    case '?':
      if (!there) throw new MissingVariable(name, word);
      return value ?? '';
    case ':-':
    case '-':
      return there ? (value ?? '') : word;
    default:
      return there ? word : (value ?? '');
  }
}

/** The operator that comes first; of two at one place the longer. */
export function firstOperator(text: string): Operator | undefined {
  let best: Operator | undefined;
  let least = Infinity;
  for (const operator of OPERATORS) {
    const at = text.indexOf(operator);
    if (at !== -1 && at < least) [least, best] = [at, operator];
  }
  return best;
}

/** Where the first opened brace is closed; -1 when it is not. */
export function closingBrace(text: string): number {
  let open = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (char === '}') {
      open -= 1;
      if (open === 0) return i;
    }
    // What follows an opening brace is never one itself.
    if (char === '{') {
      open += 1;
      i += 1;
    }
  }
  return -1;
}
