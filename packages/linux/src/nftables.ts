import { WharfError } from '@wharf/kit';
import { type Library, loadLibrary, type Pointer, readCString } from './ffi.ts';
import { withSignalsHeld } from './held-signals.ts';
import { withLowDescriptors } from './low-descriptors.ts';

interface Calls {
  readonly create: (flags: number) => Pointer;
  readonly free: (context: Pointer) => void;
  readonly run: (context: Pointer, script: string) => number;
  readonly bufferOutput: (context: Pointer) => number;
  readonly bufferError: (context: Pointer) => number;
  readonly output: (context: Pointer) => Pointer;
  readonly error: (context: Pointer) => Pointer;
  readonly setOutputFlags: (context: Pointer, flags: number) => void;
}

const NFT_CTX_OUTPUT_JSON = 1 << 4;
const NFT_CTX_OUTPUT_HANDLE = 1 << 3;

let calls: Calls | undefined;

/** libnftables and what it stands on take 2 MB: loaded when the first rule is needed. */
function library(): Calls {
  if (calls) return calls;
  let handle: Library;
  try {
    handle = loadLibrary('libnftables.so.1');
  } catch (cause) {
    throw new WharfError('failed-precondition', 'Cannot load "libnftables.so.1": it is not installed', {
      hint: 'apt-get install libnftables1',
      cause,
    });
  }
  calls = {
    create: handle.func('nft_ctx_new', 'void *', ['uint32_t']),
    free: handle.func('nft_ctx_free', 'void', ['void *']),
    run: handle.func('nft_run_cmd_from_buffer', 'int', ['void *', 'str']),
    bufferOutput: handle.func('nft_ctx_buffer_output', 'int', ['void *']),
    bufferError: handle.func('nft_ctx_buffer_error', 'int', ['void *']),
    output: handle.func('nft_ctx_get_output_buffer', 'void *', ['void *']),
    error: handle.func('nft_ctx_get_error_buffer', 'void *', ['void *']),
    setOutputFlags: handle.func('nft_ctx_output_set_flags', 'void', ['void *', 'unsigned int']),
  };
  return calls;
}

/** A script that nftables refused. `message` holds its own explanation. */
export class NftError extends Error {
  readonly script: string;

  constructor(script: string, explanation: string) {
    // Each complaint is three lines: the words, the script's line and a marker below it.
    const words = explanation.split('\n').filter((line) => /(?:^|: )Error: /.test(line));
    super(`Cannot apply nftables rules: ${words.join('; ') || explanation}`);
    this.name = 'NftError';
    this.script = script;
  }
}

/** The packet filter of the network namespace that this was made in; it stays with that namespace. */
export class Nft {
  #context: Pointer;
  readonly #calls = library();

  constructor() {
    this.#context = withLowDescriptors(() => this.#calls.create(0));
    if (this.#context === null) throw new WharfError('internal', 'Cannot open nftables: the context was refused');
    this.#calls.bufferOutput(this.#context);
    this.#calls.bufferError(this.#context);
    this.#calls.setOutputFlags(this.#context, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE);
  }

  /** Applies a script in nft(8)'s language as one transaction: all of it or nothing. Throws `NftError`. */
  apply(script: string): void {
    this.#run(script);
  }

  /** Runs a `list …` command and returns the objects of its JSON (libnftables-json(5)). Throws `NftError`. */
  list(command: string): readonly Readonly<Record<string, unknown>>[] {
    const output = this.#run(command);
    if (output === '') return [];
    return (JSON.parse(output) as { readonly nftables: readonly Readonly<Record<string, unknown>>[] }).nftables;
  }

  close(): void {
    if (this.#context === null) return;
    this.#calls.free(this.#context);
    this.#context = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #run(script: string): string {
    // It opens its socket anew when somebody else changes rules while it reads them. A signal while it waits for the kernel's answer is an
    // error to it, when all is done.
    const result = withLowDescriptors(() => withSignalsHeld(() => this.#calls.run(this.#context, script)));
    const output = readCString(this.#calls.output(this.#context));
    const error = readCString(this.#calls.error(this.#context)).trim();
    if (result !== 0) throw new NftError(script, error);
    return output;
  }
}
