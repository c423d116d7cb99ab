/** The terminal that the program is typed into. */
export interface TypedTerminal {
  readonly stdin: NodeJS.ReadStream;
}

/** True when standard input is a terminal. */
export function isInputTerminal(): boolean {
  return process.getBuiltinModule('node:tty').isatty(0);
}

/**
 * Hands keys on as they are typed, and shows output as it comes: what either means is for the terminal in the container. Disposal gives
 * the terminal back; should the program end otherwise, Node does (it keeps the settings that it was started with).
 */
export function makeRaw(): Disposable {
  if (!isInputTerminal() || process.env['NORAW']) return { [Symbol.dispose]: () => undefined };
  const { stdin } = process;
  stdin.setRawMode(true);
  // Node leaves line feeds to be turned into new lines, which spoils the picture of programs that use the whole screen.
  process
    .getBuiltinModule('node:child_process')
    .spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  let isRaw = true;
  return {
    [Symbol.dispose]: () => {
      if (isRaw) stdin.setRawMode(false);
      isRaw = false;
    },
  };
}
