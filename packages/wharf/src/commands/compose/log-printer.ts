import { formatRfc3339NanoFixed } from '@wharf/kit';

/** The name under which the watcher of files speaks. */
export const WATCH_NAME = '#watch';

/** Takes lines of containers. */
export interface LogConsumer {
  log(name: string, line: Buffer | string): void;
  /** A line of standard error. */
  error(name: string, line: Buffer | string): void;
  /** What became of a container. */
  status(name: string, message: string): void;
}

export interface LogPrinterOptions {
  readonly out: (bytes: Buffer) => void;
  readonly err: (bytes: Buffer) => void;
  readonly coloured: boolean;
  readonly prefix: boolean;
  /** Lines begin with the time at which they came. */
  readonly timestamps: boolean;
  readonly now?: () => Date;
}

/** The colours of docker compose, in its order: each container has the next. */
const COLOURS = ['36', '33', '32', '35', '34', '36;1', '33;1', '32;1', '35;1', '34;1'];
const WATCH_COLOUR = '92';
/** Back to the line's begin, which is emptied: a prompt may stand there. */
const RESET_LINE = '\r\u001b[K';

interface Speaker {
  readonly name: string;
  readonly colour: string | undefined;
  prefix: Buffer;
}

/** Prints lines of many containers, each behind its container's name, aligned and in a colour of its own. */
export class LogPrinter implements LogConsumer {
  readonly #options: LogPrinterOptions;
  readonly #speakers = new Map<string, Speaker>();
  #width = 0;
  #next = 0;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
  }

  /** Makes names known before they speak, so that all lines are aligned, and colours do not depend on who is first. */
  register(names: readonly string[]): void {
    for (const name of names) this.#speaker(name);
  }

  log(name: string, line: Buffer | string): void {
    this.#write(this.#options.out, name, line);
  }

  error(name: string, line: Buffer | string): void {
    this.#write(this.#options.err, name, line);
  }

  status(name: string, message: string): void {
    const { colour } = this.#speaker(name);
    this.#options.out(Buffer.from(painted(colour, `${RESET_LINE}${name} ${message}\n`)));
  }

  #write(out: (bytes: Buffer) => void, name: string, line: Buffer | string): void {
    const { prefix } = this.#speaker(name);
    const time = this.#options.timestamps ? Buffer.from(`${this.#time()} `) : EMPTY;
    out(Buffer.concat([prefix, time, typeof line === 'string' ? Buffer.from(line) : line, LINE_FEED]));
  }

  #time(): string {
    const now = this.#options.now?.() ?? new Date();
    return formatRfc3339NanoFixed(BigInt(now.getTime()) * 1_000_000n);
  }

  #speaker(name: string): Speaker {
    const known = this.#speakers.get(name);
    if (known !== undefined) return known;
    const speaker: Speaker = { name, colour: this.#colourOf(name), prefix: EMPTY };
    this.#speakers.set(name, speaker);
    if (!this.#options.prefix) return speaker;
    this.#width = Math.max(this.#width, Buffer.byteLength(name) + 1);
    for (const each of this.#speakers.values()) each.prefix = this.#prefixOf(each);
    return speaker;
  }

  #colourOf(name: string): string | undefined {
    if (!this.#options.coloured || name === '') return undefined;
    if (name === WATCH_NAME) return WATCH_COLOUR;
    // A container's hook speaks in its container's colour: `web-1 ->`.
    const blank = name.indexOf(' ');
    if (blank >= 0) return this.#speaker(name.slice(0, blank)).colour;
    const colour = COLOURS[this.#next % COLOURS.length];
    this.#next += 1;
    return colour;
  }

  #prefixOf({ name, colour }: Speaker): Buffer {
    const text = name === WATCH_NAME ? `${' '.repeat(this.#width)} ⦿ ` : `${name.padEnd(this.#width)} | `;
    return Buffer.from(painted(colour, text));
  }
}

const EMPTY = Buffer.alloc(0);
const LINE_FEED = Buffer.from('\n');

function painted(colour: string | undefined, text: string): string {
  return colour === undefined ? text : `\u001b[${colour}m${text}\u001b[0m`;
}
