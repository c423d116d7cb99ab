/**
 * What a terminal shows after a program has written to it: the lines, without colours. Knows what programs use that draw over their
 * own lines (ECMA-48: CUU, CUD, CUF, CUB, CHA, CNL, CPL, ED, EL); anything else of escape sequences is left out. Lines do not wrap.
 */
export function screenOf(output: string): string {
  const screen = new Screen();
  // A control sequence, an operating system command, any other escape, a control character, or plain text.
  // biome-ignore lint/complexity/useRegexLiterals: the escapes are easier to read in a string
  const tokens = new RegExp(
    '\\u001b\\[([?\\d;]*)([@-~])|\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)|\\u001b[^[\\]]|[\\r\\n\\b\\t]|[^\\u001b\\r\\n\\b\\t]+',
    'g',
  );
  for (const [token, parameters, final] of output.matchAll(tokens)) {
    if (final !== undefined) screen.control(final, parameters ?? '');
    else if (!token.startsWith('\u001b')) screen.write(token);
  }
  return screen.text;
}

class Screen {
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  get text(): string {
    const lines = this.#lines.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    return lines.join('\n').replace(/\n+$/, '');
  }

  write(text: string): void {
    if (text === '\n') this.#row += 1;
    else if (text === '\r') this.#column = 0;
    else if (text === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (text === '\t') this.#column = (Math.floor(this.#column / 8) + 1) * 8;
    else for (const character of text) this.#line()[this.#column++] = character;
    this.#line();
  }

  control(final: string, parameters: string): void {
    const count = Math.max(1, Number.parseInt(parameters, 10) || 1);
    const moves: Readonly<Record<string, () => void>> = {
      A: () => (this.#row = Math.max(0, this.#row - count)),
      B: () => (this.#row += count),
      C: () => (this.#column += count),
      D: () => (this.#column = Math.max(0, this.#column - count)),
      E: () => ([this.#row, this.#column] = [this.#row + count, 0]),
      F: () => ([this.#row, this.#column] = [Math.max(0, this.#row - count), 0]),
      G: () => (this.#column = count - 1),
      J: () => this.#erase(parameters, true),
      K: () => this.#erase(parameters, false),
    };
    moves[final]?.();
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    return this.#lines[this.#row] ?? [];
  }

  #erase(parameters: string, below: boolean): void {
    const line = this.#line();
    if (parameters === '' || parameters === '0') {
      line.length = Math.min(line.length, this.#column);
      if (below) this.#lines.length = this.#row + 1;
    } else if (parameters === '2') {
      line.length = 0;
    } else {
      line.fill(' ', 0, this.#column + 1);
    }
  }
}
