import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';

const DIRECTORY = '/proc/sys/fs/binfmt_misc';
const CONTROL_FILES: ReadonlySet<string> = new Set(['register', 'status']);
const HEADER_BYTES = 20;
const [CLASS_AT, ORDER_AT, VERSION_AT, TYPE_AT, MACHINE_AT] = [4, 5, 6, 16, 18];

/** What starts programs of a foreign architecture (Linux, Documentation/admin-guide/binfmt-misc.rst). */
export interface BinaryHandler {
  readonly name: string;
  readonly interpreter: string;
  /** The interpreter was opened when it was registered (flag F): it need not be in the root directory of who runs a program. */
  readonly isFixed: boolean;
  readonly offset: number;
  readonly magic: Buffer;
  /** As long as the magic. */
  readonly mask: Buffer;
}

/** How an ELF file says what it is for (elf(5), `e_ident` and `e_machine`). */
export interface ElfMachine {
  readonly bits: 32 | 64;
  readonly order: 'little' | 'big';
  readonly machine: number;
}

/** The handlers that are in force for this process; none where binfmt_misc is not mounted. */
export function binaryHandlers(directory = DIRECTORY): readonly BinaryHandler[] {
  try {
    // The switch for all of them.
    if (readFileSync(join(directory, 'status'), 'latin1').trim() !== 'enabled') return [];
    const names = readdirSync(directory).filter((name) => !CONTROL_FILES.has(name));
    return names.flatMap((name) => parseHandler(name, readFileSync(join(directory, name), 'latin1')) ?? []);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES', 'ENODEV')) return [];
    throw error;
  }
}

/** One handler as the kernel shows it; `undefined` for one that is switched off or goes by file names. */
export function parseHandler(name: string, text: string): BinaryHandler | undefined {
  const [state, ...lines] = text.split('\n');
  const value = (key: string): string | undefined =>
    lines
      .find((line) => line.startsWith(`${key} `))
      ?.slice(key.length + 1)
      .trim();
  const magic = value('magic');
  const interpreter = value('interpreter');
  if (state !== 'enabled' || magic === undefined || interpreter === undefined) return undefined;
  const bytes = Buffer.from(magic, 'hex');
  const mask = value('mask');
  return {
    name,
    interpreter,
    isFixed: (value('flags:') ?? '').includes('F'),
    offset: Number(value('offset') ?? 0),
    magic: bytes,
    mask: mask === undefined ? Buffer.alloc(bytes.length, 0xff) : Buffer.from(mask, 'hex'),
  };
}

/** The handler that the kernel would start a program for such a machine with. */
export function handlerFor(handlers: readonly BinaryHandler[], machine: ElfMachine): BinaryHandler | undefined {
  const header = headerOf(machine);
  return handlers.find(({ offset, magic, mask }) =>
    magic.every((byte, index) => {
      // What lies behind the header is no matter of the architecture.
      const own = header[offset + index];
      return own === undefined || ((own ^ byte) & (mask[index] ?? 0xff)) === 0;
    }),
  );
}

/** The first bytes of an executable for a machine. */
function headerOf({ bits, order, machine }: ElfMachine): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('\x7fELF', 'latin1');
  header[CLASS_AT] = bits === 64 ? 2 : 1;
  header[ORDER_AT] = order === 'little' ? 1 : 2;
  header[VERSION_AT] = 1;
  const write = (value: number, at: number): number =>
    order === 'little' ? header.writeUInt16LE(value, at) : header.writeUInt16BE(value, at);
  write(2, TYPE_AT);
  write(machine, MACHINE_AT);
  return header;
}
