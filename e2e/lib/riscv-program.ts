const LOAD_ADDRESS = 0x10000;
const HEADER_BYTES = 64 + 56;
const CREATE_AND_WRITE = 0x41;
const [OPENAT, WRITE, EXIT] = [56, 64, 93];
/** Registers by their names in the calling convention. */
const [ZERO, A0, A1, A2, A3, A7] = [0, 10, 11, 12, 13, 17];
const ECALL = 0x73;

const addi = (to: number, from: number, value: number): number =>
  (((value & 0xfff) << 20) | (from << 15) | (to << 7) | 0x13) >>> 0;
const load = (to: number, value: number): readonly number[] => [addi(to, ZERO, value)];
const lui = (to: number, upper: number): number => ((upper << 12) | (to << 7) | 0x37) >>> 0;

/** Puts an address into a register; the lower part is taken as signed. */
function address(to: number, value: number): readonly number[] {
  const lower = (value << 20) >> 20;
  return [lui(to, (value - lower) >>> 12), addi(to, to, lower)];
}

/**
 * An ELF program for riscv64 that writes a file: a program of a foreign architecture that need not be fetched (RISC-V unprivileged
 * specification, "RV32I"; system calls as in Linux' asm-generic/unistd.h).
 */
export function riscvProgram({ path, text }: { readonly path: string; readonly text: string }): Buffer {
  const strings = Buffer.from(`${path}\0${text}`);
  const instructions = (pathAt: number): readonly number[] => [
    ...[...load(A7, OPENAT), ...load(A0, -100), ...address(A1, pathAt)],
    ...[...load(A2, CREATE_AND_WRITE), ...load(A3, 0o644), ECALL],
    ...[...load(A7, WRITE), ...address(A1, pathAt + Buffer.byteLength(path) + 1)],
    ...[...load(A2, Buffer.byteLength(text)), ECALL],
    ...[...load(A7, EXIT), ...load(A0, 0), ECALL],
  ];
  const codeBytes = instructions(0).length * 4;
  const code = Buffer.alloc(codeBytes);
  const pathAt = LOAD_ADDRESS + HEADER_BYTES + codeBytes;
  for (const [index, word] of instructions(pathAt).entries()) code.writeUInt32LE(word, index * 4);
  return Buffer.concat([header(codeBytes + strings.length), code, strings]);
}

/** ELF header and one program header (elf(5)). */
function header(contentBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(243, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(LOAD_ADDRESS + HEADER_BYTES), 24);
  bytes.writeBigUInt64LE(64n, 32);
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    bytes.writeUInt16LE(value, at);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(5, 68);
  const size = BigInt(HEADER_BYTES + contentBytes);
  for (const at of [80, 88]) bytes.writeBigUInt64LE(BigInt(LOAD_ADDRESS), at);
  for (const at of [96, 104]) bytes.writeBigUInt64LE(size, at);
  bytes.writeBigUInt64LE(0x1000n, 112);
  return bytes;
}
