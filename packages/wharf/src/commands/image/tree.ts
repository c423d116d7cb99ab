import { fit, widthOf } from '../../build/view/text.ts';
import type { CliContext } from '../../cli/context.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { shortId } from '../../term/short-text.ts';
import { terminalSize } from '../../term/size.ts';
import { mayColour } from '../../term/style.ts';
import { humanSize } from '../../term/units.ts';
import { type ImageSummary, isDangling } from './image-rows.ts';

interface Manifest {
  readonly ID: string;
  readonly Kind: string;
  readonly Available: boolean;
  readonly Size: { readonly Content: number; readonly Total: number };
  readonly ImageData?: {
    readonly Platform: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
    readonly Containers?: readonly string[] | null;
  } | null;
}

interface Details {
  readonly id: string;
  readonly diskUsage: string;
  readonly contentSize: string;
  readonly inUse: boolean;
}

interface Platform extends Details {
  readonly platform: string;
  readonly isAvailable: boolean;
}

interface TopImage extends Details {
  readonly names: readonly string[];
  readonly created: number;
  readonly platforms: readonly Platform[];
}

const GAP = 3;
const LEAST_NAME = 12;
const LEAST_WIDTH = 20;
const WARNING = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.";

/** `images --tree` as docker 28 draws it: images, and below each its platforms. */
export async function printImageTree<T extends FlagTable>(
  context: CliContext<T>,
  { all, filters }: { readonly all: boolean; readonly filters: object | undefined },
): Promise<void> {
  const client = await context.client();
  const query = { all: all || undefined, filters, manifests: true };
  const listed = await client.json<readonly (ImageSummary & { readonly Manifests?: readonly Manifest[] | null })[]>(
    'GET',
    '/images/json',
    { query },
  );
  const images = listed
    .filter((image) => all || !isDangling(image))
    .map((image) => topImage(image, image.Manifests ?? []))
    .toSorted((left, right) => right.created - left.created);
  const size = terminalSize(context.out);
  const pen = new Pen(mayColour(context.out), Math.max(LEAST_WIDTH, size?.columns ?? 80));
  context.out.write(drawTree(images, pen));
}

function topImage(image: ImageSummary, manifests: readonly Manifest[]): TopImage {
  const platforms = manifests.flatMap(({ Kind, ImageData, ID, Size, Available }): Platform[] => {
    if (Kind !== 'image' || !ImageData) return [];
    const { os = '', architecture = '', variant = '' } = ImageData.Platform;
    return [
      {
        ...{ id: ID, diskUsage: humanSize(Size.Total, 3), contentSize: humanSize(Size.Content, 3) },
        ...{ inUse: (ImageData.Containers ?? []).length > 0, isAvailable: Available },
        platform: [os, architecture, variant].filter((part) => part !== '').join('/'),
      },
    ];
  });
  const content = manifests.reduce((sum, { Size }) => sum + Size.Content, 0);
  return {
    ...{ names: image.RepoTags ?? [], created: image.Created, platforms, id: image.Id },
    ...{ diskUsage: humanSize(image.Size, 3), contentSize: humanSize(content, 3) },
    inUse: image.Containers > 0 || platforms.some(({ inUse }) => inUse),
  };
}

const BOLD_BLUE = '\u001b[34m\u001b[1m';
const FAINT = '\u001b[39m\u001b[2m';
const TITLE = '\u001b[39m\u001b[1m';
const PLAIN = '\u001b[39m';
const CHIP = '\u001b[38;5;0m\u001b[48;5;14m';
const INFO_SIGN = '\u001b[1m\u001b[106m\u001b[30mi';
const RESET = '\u001b[0m';

/** What is drawn with: colours or none, and how wide. */
class Pen {
  readonly isColoured: boolean;
  readonly width: number;

  constructor(isColoured: boolean, width: number) {
    this.isColoured = isColoured;
    this.width = width;
  }

  paint(start: string, text: string): string {
    return this.isColoured && start !== '' ? `${start}${text}${RESET}` : text;
  }

  chip(letter: string): string {
    return this.isColoured ? `${CHIP} ${letter} ${RESET}` : letter;
  }

  noChip(): string {
    return this.isColoured ? '   ' : ' ';
  }

  chipWidth(): number {
    return this.isColoured ? 3 : 1;
  }
}

interface Column {
  readonly title: string;
  width: number;
  readonly right?: true;
  readonly text?: (details: Details) => string;
}

function drawTree(images: readonly TopImage[], pen: Pen): string {
  const columns = columnsFor(images, pen);
  const isSpaced = images.some(({ platforms }) => platforms.length > 0);
  const lines = [pen.paint('\u001b[93m', WARNING), legend(pen), ''];
  const headers = columns.map((column) =>
    cell(column, column.title.toUpperCase(), (text) => `${TITLE}${text}${RESET}`),
  );
  lines.push(headers.join(' '.repeat(GAP)));
  for (const image of images) {
    lines.push(...imageLines(image, columns, pen));
    if (isSpaced) lines.push('');
  }
  return lines.map((line) => `${line}\n`).join('');
}

function imageLines(image: TopImage, columns: readonly Column[], pen: Pen): readonly string[] {
  const lines: string[] = [];
  const names = image.names.toSorted((left, right) => right.length - left.length);
  for (const name of names.slice(0, -1)) lines.push(pen.paint(BOLD_BLUE, fit(name, pen.width)));
  const [first] = columns;
  const last = names.at(-1);
  if (first === undefined) return lines;
  const name =
    last === undefined
      ? cell(first, '<untagged>', (text) => pen.paint(FAINT, text))
      : cell(first, last, (text) => pen.paint(BOLD_BLUE, text));
  lines.push(name + detailCells(image, columns, pen, PLAIN));
  for (const [index, platform] of image.platforms.entries()) {
    const branch = index === image.platforms.length - 1 ? '└─ ' : '├─ ';
    const colour = platform.isAvailable ? PLAIN : FAINT;
    const text = cell(first, branch + platform.platform, (each) => pen.paint(colour, each));
    lines.push(text + detailCells(platform, columns, pen, colour));
  }
  return lines;
}

function detailCells(details: Details, columns: readonly Column[], pen: Pen, colour: string): string {
  return columns
    .map((column) => {
      if (column.text === undefined) return '';
      const isChips = column.title === 'Extra';
      const shown = column.text(details);
      return ' '.repeat(GAP) + cell(column, shown, (text) => (isChips ? text : pen.paint(colour, text)));
    })
    .join('');
}

function columnsFor(images: readonly TopImage[], pen: Pen): readonly Column[] {
  const isAnyInUse = images.some(({ platforms }) => platforms.some(({ inUse }) => inUse));
  const chips = ({ inUse }: Details): string => {
    if (!isAnyInUse) return '';
    return inUse ? pen.chip('U') : pen.noChip();
  };
  const rest: Column[] = [
    { title: 'ID', width: 12, text: ({ id }) => shortId(id) },
    { title: 'Disk usage', width: 10, right: true, text: ({ diskUsage }) => diskUsage },
    { title: 'Content size', width: 12, right: true, text: ({ contentSize }) => contentSize },
    { title: 'Extra', width: Math.max('Extra'.length, isAnyInUse ? pen.chipWidth() : 0), text: chips },
  ];
  let room = pen.width;
  const shown: Column[] = [];
  for (const column of rest) {
    const needed = column.width + GAP;
    if (room - needed < LEAST_NAME) break;
    room -= needed;
    shown.push(column);
  }
  return [{ title: 'Image', width: Math.min(room, widestName(images)) }, ...shown];
}

/** In bytes, as docker measures them. */
function widestName(images: readonly TopImage[]): number {
  const bytes = (text: string): number => Buffer.byteLength(text);
  const widths = images.flatMap(({ names, platforms }) => [
    ...names.map(bytes),
    ...platforms.map(({ platform }) => bytes(platform) + bytes('└─ ')),
  ]);
  return Math.max('Image'.length, ...widths);
}

function cell({ width, right }: Column, text: string, paint: (text: string) => string): string {
  const plain = text.replaceAll(/\u001b\[[\d;]*m/g, '');
  if (widthOf(plain) > width) return paint(fit(plain, width));
  const fill = ' '.repeat(width - widthOf(plain));
  return right === true ? fill + paint(text) : paint(text) + fill;
}

function legend(pen: Pen): string {
  const info = pen.isColoured ? `${INFO_SIGN}${RESET}${RESET} \u001b[96mInfo → ${RESET}${RESET}` : ' Info -> ';
  const text = `${info} ${pen.chip('U')} In Use `;
  const plain = text.replaceAll(/\u001b\[[\d;]*m/g, '');
  return ' '.repeat(Math.max(0, pen.width - widthOf(plain))) + text;
}
