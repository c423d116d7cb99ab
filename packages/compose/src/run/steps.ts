import type { Step, StepKind } from '../plan/steps.ts';
import type { RunContext } from './context.ts';
import { createContainer } from './create-step.ts';
import { movePorts, passGate } from './gate-step.ts';
import { runInit } from './init-step.ts';
import {
  connect,
  createNetwork,
  createVolume,
  disconnect,
  removeImage,
  removeNetwork,
  removeVolume,
} from './resource-steps.ts';
import { startContainer } from './start-step.ts';
import { removeContainer, renameContainer, stopContainer } from './stop-steps.ts';
import { waitFor } from './wait-step.ts';

type Executor<K extends StepKind> = (
  context: RunContext,
  step: Extract<Step, { readonly kind: K }>,
  signal: AbortSignal,
) => Promise<void>;

/** Who does what; a kind of step without an executor does not compile. */
const EXECUTORS: { readonly [K in StepKind]: Executor<K> } = {
  'create-network': createNetwork,
  'remove-network': removeNetwork,
  disconnect,
  connect,
  'create-volume': createVolume,
  'remove-volume': removeVolume,
  'remove-image': removeImage,
  'create-container': createContainer,
  'start-container': startContainer,
  'stop-container': stopContainer,
  'remove-container': removeContainer,
  'rename-container': renameContainer,
  wait: waitFor,
  gate: passGate,
  'move-ports': movePorts,
  delay: (_context, { ms }, signal) => delay(ms, signal),
  init: runInit,
};

/** True for steps that are mostly time: they take no place among those that work. */
export function isWaiting({ kind }: Step): boolean {
  return kind === 'wait' || kind === 'gate' || kind === 'delay' || kind === 'init';
}

/** Does one step. What belongs to a replacement that was given up is left out. */
export async function runStep(context: RunContext, step: Step, signal: AbortSignal): Promise<void> {
  const refs = 'container' in step ? [step.container] : 'to' in step && 'from' in step ? [step.from, step.to] : [];
  if (refs.some(({ key }) => context.abandoned.has(key))) return;
  const run = EXECUTORS[step.kind] as Executor<StepKind>;
  await run(context, step, signal);
}

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
