import { join } from 'node:path';
import type { AuditLog } from '../access/audit.ts';
import { type AdminContext, checkInput, type Input, invalid } from './operation.ts';
import { OPERATIONS } from './operations/index.ts';

/** Where a running registry takes administrators' commands: who may open it may do everything. */
export function adminSocket(root: string): string {
  return join(root, 'admin.sock');
}

/** Does administrators' operations, one after the other's change, each durable before its answer. */
export class Administration {
  readonly #context: AdminContext;
  readonly #audit: AuditLog | undefined;
  /** How far the long commands are that are being done, the latest of each name. */
  readonly #progress = new Map<string, Readonly<Record<string, number | string>>>();

  constructor(context: AdminContext, audit?: AuditLog) {
    this.#context = context;
    this.#audit = audit;
  }

  /** Throws `invalid-argument` for what makes no sense, and what the operation throws. */
  async run(name: string, input: Input, signal?: AbortSignal): Promise<unknown> {
    const operation = OPERATIONS.find((each) => each.name === name);
    if (operation === undefined) throw invalid(`There is no command "${name}"`);
    checkInput(operation, input);
    const report = (soFar: Readonly<Record<string, number | string>>): void => void this.#progress.set(name, soFar);
    let result: unknown;
    try {
      result = await operation.run(this.#context, input, { signal, report });
    } finally {
      this.#progress.delete(name);
    }
    await this.#context.directory.committed();
    if (!/(^usage|( list| deliveries))$/.test(name)) {
      const secrets = Object.entries(operation.options).filter(([, kind]) => kind === 'secret');
      const hidden = Object.fromEntries(secrets.map(([option]) => [option, undefined]));
      this.#audit?.administered(name, { ...input, ...hidden });
    }
    return result;
  }

  /** How far a long command is; `undefined` when nobody has given it. */
  progressOf(name: string): Readonly<Record<string, number | string>> | undefined {
    return this.#progress.get(name);
  }
}
