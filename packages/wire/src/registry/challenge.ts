/** One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1). Scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const MAX_HEADER = 8192;

/** Parses the header; what cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const text = header.slice(0, MAX_HEADER);
  const token = /[\s,]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, name = '', quoted, plain] = match;
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    const current = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else if (current) current.parameters[name.toLowerCase()] = value;
  }
  return challenges;
}
