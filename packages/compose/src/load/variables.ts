import { closingBrace, firstOperator } from './template.ts';

/** A variable that a document mentions, in the fields docker compose prints. */
export interface Variable {
  readonly name: string;
  readonly defaultValue: string;
  /** What stands for it when it is set: `${A:+other}`. */
  readonly presenceValue: string;
  readonly required: boolean;
}

const NAME = /^[_a-z][_a-z0-9]*/i;

/** All variables in the texts of a document that was not interpolated, by name; of one that stands twice the later mention. */
export function variablesOf(document: unknown): readonly Variable[] {
  const found = new Map<string, Variable>();
  visit(document, found);
  return [...found.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function visit(value: unknown, found: Map<string, Variable>): void {
  if (typeof value === 'string') scan(value, found);
  else if (Array.isArray(value)) for (const each of value) visit(each, found);
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) visit(each, found);
}

function scan(text: string, found: Map<string, Variable>): void {
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', at)) {
    const rest = text.slice(at + 1);
    if (rest.startsWith('$')) at += 2;
    else if (rest.startsWith('{')) {
      const end = closingBrace(text.slice(at));
      const body = end < 0 ? '' : text.slice(at + 2, at + end);
      if (body !== '') note(body, found);
      at += end < 0 ? 2 : end + 1;
    } else {
      const name = NAME.exec(rest)?.[0];
      if (name !== undefined) note(name, found);
      at += 1 + (name?.length ?? 0);
    }
  }
}

/** The inside of a brace, and what is in its default. */
function note(body: string, found: Map<string, Variable>): void {
  const name = NAME.exec(body)?.[0];
  if (name === undefined) return;
  const operator = firstOperator(body);
  const value = operator === undefined ? '' : body.slice(name.length + operator.length);
  found.set(name, {
    name,
    defaultValue: operator === ':-' || operator === '-' ? value : '',
    presenceValue: operator === ':+' || operator === '+' ? value : '',
    required: operator === ':?' || operator === '?',
  });
  scan(value, found);
}
