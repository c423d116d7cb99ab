import type { Output } from '../cli/output.ts';

type Paint = (text: string) => string;

/** Colours and weights of a terminal; each leaves the text alone where there are none. */
export interface Style {
  readonly isColoured: boolean;
  readonly bold: Paint;
  readonly faint: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
  readonly magenta: Paint;
  readonly cyan: Paint;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether colours may be written: to a terminal that is not dumb, unless NO_COLOR is set (no-color.org). */
export function mayColour(output: Pick<Output, 'isTerminal'>, env: Environment = process.env): boolean {
  return output.isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** The style of an output. */
export function styleOf(output: Pick<Output, 'isTerminal'>, env: Environment = process.env): Style {
  return mayColour(output, env) ? COLOURED : PLAIN;
}

function paint(start: number, end: number): Paint {
  return (text) => (text === '' ? '' : `\u001b[${start}m${text}\u001b[${end}m`);
}

const same: Paint = (text) => text;

const COLOURED: Style = {
  isColoured: true,
  bold: paint(1, 22),
  faint: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  blue: paint(34, 39),
  magenta: paint(35, 39),
  cyan: paint(36, 39),
};

const PLAIN: Style = {
  isColoured: false,
  bold: same,
  faint: same,
  red: same,
  green: same,
  yellow: same,
  blue: same,
  magenta: same,
  cyan: same,
};
