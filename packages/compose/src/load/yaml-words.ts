/** What a parser says of a text that is no YAML: js-yaml's reason, and where. */
export interface SyntaxMistake {
  readonly source: string;
  readonly reason: string;
  readonly position: number;
}

const FLOW = /within a flow|missed comma|expected the node content|deficient indentation/;

/** The same in libyaml's words, which are go-yaml's and compose's, as near as both can come to each other. */
export function libyamlWords({ source, reason, position }: SyntaxMistake): string {
  const end = source.indexOf('\n', position);
  const rest = source.slice(position, end === -1 ? undefined : end);
  const before = source.slice(source.lastIndexOf('\n', position - 1) + 1, position).trimEnd();
  if (/tab characters/.test(reason)) return 'found character that cannot start any token';
  if (/within a (double|single) quoted/.test(reason)) return 'found unexpected end of stream';
  if (FLOW.test(reason)) return flowWords(source.slice(0, position), rest);
  if (/bad indentation of a mapping/.test(reason)) return mappingWords(before, rest);
  if (/bad indentation of a sequence/.test(reason))
    return hasColon(rest) ? 'mapping values are not allowed in this context' : "did not find expected '-' indicator";
  if (/implicit key|can not read a block mapping|expected ':' after/.test(reason)) return "could not find expected ':'";
  if (/end of the stream or a document separator/.test(reason)) return documentWords(source, rest);
  if (/a line break is expected/.test(reason)) return 'did not find expected comment or line break';
  return /non-printable/.test(reason) ? 'control characters are not allowed' : reason;
}

function mappingWords(before: string, rest: string): string {
  if (/^[@`%]/.test(rest)) return 'found character that cannot start any token';
  if (/^[\]}]/.test(rest)) return 'did not find expected node content';
  if (rest.startsWith('- ') && before !== '') return 'block sequence entries are not allowed in this context';
  if (/["']$/.test(before) || (before === '' && (hasColon(rest) || rest.startsWith('- '))))
    return 'did not find expected key';
  return before === '' ? "could not find expected ':'" : 'mapping values are not allowed in this context';
}

/** Which bracket is open where it went wrong; with none, it was a quote. */
function flowWords(before: string, rest: string): string {
  const open: string[] = [];
  for (const char of before) {
    if (char === '[' || char === '{') open.push(char);
    else if (char === ']' || char === '}') open.pop();
  }
  const last = open.at(-1);
  if (last === undefined) return 'found unexpected end of stream';
  if (/^[\]}]/.test(rest) && /[[{,]\s*$/.test(before)) return 'did not find expected node content';
  return last === '[' ? "did not find expected ',' or ']'" : "did not find expected ',' or '}'";
}

function documentWords(source: string, rest: string): string {
  const first = source.split('\n').find((line) => line.trim() !== '' && !/^\s*#/.test(line)) ?? '';
  if (first.startsWith('- ')) return "did not find expected '-' indicator";
  return !hasColon(first) && hasColon(rest)
    ? 'mapping values are not allowed in this context'
    : 'did not find expected key';
}

function hasColon(line: string): boolean {
  return /:(\s|$)/.test(line);
}
