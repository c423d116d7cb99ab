import type { StatusMessage } from '@wharf/builder/buildkit/messages';
import { type BuildModel, type Step, timestampOf } from './model.ts';

const EVERY_MS = 100;

/**
 * Shows how much has been sent and received at the steps that wait for it. The client knows it best; where the daemon tells it itself, that
 * is left alone.
 */
export class Transfers {
  readonly #model: BuildModel;
  readonly #tell: (message: StatusMessage) => void;
  readonly #toldAt = new Map<string, number>();
  #received = 0;

  constructor(model: BuildModel, tell: (message: StatusMessage) => void) {
    this.#model = model;
    this.#tell = tell;
  }

  sent(directory: string, { bytes }: { readonly bytes: number }): void {
    this.#show(`transferring ${directory}:`, bytes, (name) =>
      directory === 'dockerfile'
        ? name.startsWith('[internal] load build definition')
        : /^\[(internal|context)/.test(name) && /context/.test(name),
    );
  }

  received(bytes: number): void {
    this.#received += bytes;
    this.#show('copying files', this.#received, (name) => /^(exporting|sending)/.test(name));
  }

  #show(id: string, current: number, fits: (name: string) => boolean): void {
    const now = Date.now();
    if (now - (this.#toldAt.get(id) ?? 0) < EVERY_MS) return;
    const step = this.#model.steps.findLast((each) => isOpen(each) && fits(each.name));
    if (step === undefined || [...step.parts.keys()].some((known) => known !== id)) return;
    this.#toldAt.set(id, now);
    const started = timestampOf(step.startedAt ?? now);
    this.#tell({ statuses: [{ ID: id, vertex: step.digest, current, started, timestamp: timestampOf(now) }] });
  }
}

function isOpen({ startedAt, completedAt }: Step): boolean {
  return startedAt !== undefined && completedAt === undefined;
}
