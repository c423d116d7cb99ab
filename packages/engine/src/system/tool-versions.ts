import type { Logger } from '@wharf/kit';
import { messageOf } from '@wharf/kit';
import { runTool } from '@wharf/linux/run-tool';

/** The version that a program says it has. */
export interface ToolVersion {
  readonly version: string;
  readonly commit: string;
}

const unknown: ToolVersion = { version: 'N/A', commit: 'N/A' };

/** Reads `crun version 1.8.1\ncommit: abc` and its like. */
export function parseToolVersion(output: string): ToolVersion {
  const version = /version:? +v?(\d[^\s,]*)/i.exec(output)?.[1];
  const commit = /commit:? +([0-9a-zA-Z.~+-]+)/i.exec(output)?.[1];
  return { version: version ?? 'N/A', commit: commit ?? version ?? 'N/A' };
}

/** Asks programs for their versions, once each. */
export class ToolVersions {
  readonly #log: Logger;
  readonly #known = new Map<string, Promise<ToolVersion>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What the program says for `--version`; `N/A` when `find` throws (it is not installed) or it cannot be asked. */
  async of(find: () => string): Promise<ToolVersion> {
    try {
      const path = find();
      const asked = this.#known.get(path) ?? this.#ask(path);
      this.#known.set(path, asked);
      return await asked;
    } catch (error) {
      this.#log.debug({ err: messageOf(error) }, 'a program could not be asked for its version');
      return unknown;
    }
  }

  async #ask(path: string): Promise<ToolVersion> {
    const { stdout } = await runTool({ path, argv: [path, '--version'], timeoutMs: 5_000 });
    return parseToolVersion(stdout.toString());
  }
}
