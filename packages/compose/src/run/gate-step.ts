import { WharfError } from '@wharf/kit';
import { Demuxer } from '@wharf/wire/stdcopy';
import { CONFIG_HASH } from '../convert/labels.ts';
import { portBindings } from '../convert/ports.ts';
import { CANDIDATE_PREFIX } from '../plan/rollout.ts';
import type { ContainerRef, Gate, StepBody } from '../plan/steps.ts';
import { idOf, type RunContext } from './context.ts';
import { LOG_TAIL_LINES } from './limits.ts';
import { reporter } from './progress.ts';
import { isWell, reasonOf } from './wait-step.ts';

type PortMove = Extract<StepBody, { readonly kind: 'move-ports' }>;

/**
 * Waits until a new container is well, and watches it for as long as was asked for. When it is not, the old one keeps serving, and
 * what else happens is up to `failure_action`.
 */
export async function passGate(context: RunContext, step: Gate, signal: AbortSignal): Promise<void> {
  const { container, replaces, monitorMs } = step;
  const id = idOf(context, container);
  const say = reporter(context.progress, `Container ${container.name}`);
  say.working('Waiting');
  try {
    await context.watch.until(id, isWell, signal);
    if (monitorMs > 0) await staysWell(context, id, monitorMs, signal);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    say.error('Error', reason);
    await giveUp(context, step, reason.replace(/^container \S+/, 'its new container'));
    return;
  }
  say.done('Healthy');
  if (step.overlaps) note(context, container.service, { old: replaces, now: container, movedPorts: false });
}

function note(
  context: RunContext,
  service: string,
  replaced: { old: ContainerRef; now: ContainerRef; movedPorts: boolean },
) {
  const list = (context.replaced.get(service) ?? []).filter(({ now }) => now.key !== replaced.now.key);
  context.replaced.set(service, [...list, replaced]);
}

async function staysWell(context: RunContext, id: string, monitorMs: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), monitorMs);
  try {
    await context.watch.until(
      id,
      (state) => {
        isWell(state);
        return undefined as true | undefined;
      },
      AbortSignal.any([signal, over.signal]),
    );
  } catch (error) {
    if (!over.signal.aborted || signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function giveUp(context: RunContext, step: Gate, reason: string): Promise<void> {
  const { container, replaces, onFailure, overlaps } = step;
  const id = idOf(context, container);
  const last = await logTail(context, id);
  const name = container.service;
  if (overlaps) await remove(context, id);
  const said = last === '' ? {} : { hint: `The last it said:\n${last}` };
  if (onFailure === 'continue') {
    context.abandoned.add(container.key).add(replaces.key);
    context.warn(`service ${name}: ${reason}; ${overlaps ? 'its predecessor goes on' : 'the update goes on'}`);
    return;
  }
  if (onFailure === 'rollback') {
    await rollBack(context, name);
    throw new WharfError('failed-precondition', `update of service ${name} was rolled back: ${reason}`, said);
  }
  throw new WharfError('failed-precondition', `update of service ${name} is paused: ${reason}`, said);
}

/** Brings back the containers of a service that were replaced so far. Runs to its end: half of it would serve nobody. */
async function rollBack(context: RunContext, service: string): Promise<void> {
  for (const { old, now, movedPorts } of (context.replaced.get(service) ?? []).toReversed()) {
    const id = idOf(context, old);
    const say = reporter(context.progress, `Container ${old.name}`);
    say.working('Rolling back');
    await context.client.json('POST', `/containers/${id}/start`);
    await context.watch.until(id, isWell, AbortSignal.timeout(ROLLBACK_WAIT_MS)).catch(() => {});
    if (movedPorts) await movePortsBack(context, { from: now, to: old });
    await remove(context, idOf(context, now));
    say.done('Rolled back');
  }
  context.replaced.delete(service);
}

/** An old container that does not get well in this time goes on nevertheless. */
const ROLLBACK_WAIT_MS = 60_000;

async function remove(context: RunContext, id: string): Promise<void> {
  await context.client.json('POST', `/containers/${id}/stop`).catch(() => {});
  await context.client.json('DELETE', `/containers/${id}`, { query: { force: true } });
}

async function logTail(context: RunContext, id: string): Promise<string> {
  try {
    const query = { stdout: true, stderr: true, tail: LOG_TAIL_LINES };
    const answer = await context.client.stream('GET', `/containers/${id}/logs`, { query });
    const parts: Buffer[] = [];
    const framed = answer.headers['content-type'] !== 'application/vnd.docker.raw-stream';
    const demuxer = new Demuxer((_stream, payload) => void parts.push(Buffer.from(payload)));
    for await (const chunk of answer.body) {
      if (framed) demuxer.push(chunk);
      else parts.push(chunk);
    }
    return Buffer.concat(parts).toString('utf8').trimEnd();
  } catch {
    // Without a log the reason has to do.
    return '';
  }
}

/**
 * The new container takes the published ports over from the old one, in one step of the packet filter, and is the service's from
 * then on: its hash says so. Wharf's own request.
 */
export async function movePorts(context: RunContext, step: PortMove, signal: AbortSignal): Promise<void> {
  const id = idOf(context, step.to);
  const from = idOf(context, step.from);
  const { Config } = await context.client.json<{
    readonly Config: { readonly Labels?: Readonly<Record<string, string>> };
  }>('GET', `/containers/${id}/json`, { signal });
  const labels = Config.Labels ?? {};
  const hash = labels[CONFIG_HASH] ?? '';
  await context.client.json('POST', `/containers/${id}/update`, {
    body: {
      PortBindings: portBindings(step.service),
      PortsFrom: from,
      Labels: { ...labels, [CONFIG_HASH]: hash.replace(CANDIDATE_PREFIX, '') },
    },
    signal,
  });
  note(context, step.to.service, { old: step.from, now: step.to, movedPorts: true });
}

async function movePortsBack(context: RunContext, { from, to }: Pick<PortMove, 'from' | 'to'>): Promise<void> {
  const { HostConfig } = await context.client.json<{ readonly HostConfig: { readonly PortBindings?: unknown } }>(
    'GET',
    `/containers/${idOf(context, from)}/json`,
  );
  await context.client.json('POST', `/containers/${idOf(context, to)}/update`, {
    body: { PortBindings: HostConfig.PortBindings, PortsFrom: idOf(context, from) },
  });
}
