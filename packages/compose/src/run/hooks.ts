import { WharfError } from '@wharf/kit';
import type { ExecInspectResponse, IDResponse } from '@wharf/wire/docker/types';
import { Demuxer } from '@wharf/wire/stdcopy';
import { environment } from '../convert/container.ts';
import { LineSplitter } from '../logs/line-splitter.ts';
import type { Hook, Service } from '../model/service.ts';
import type { RunContext } from './context.ts';
import type { StartedContainer } from './runner.ts';

/** Runs commands inside a container, one after the other, each to its end. Throws when one fails, in compose's words. */
export async function runHooks(
  context: Pick<RunContext, 'client' | 'options'>,
  container: StartedContainer,
  options: { readonly hooks: readonly Hook[] | undefined; readonly service: Service; readonly signal: AbortSignal },
): Promise<void> {
  for (const hook of options.hooks ?? []) {
    const exitCode = await runHook(context, container, { ...options, hook });
    if (exitCode === 0) continue;
    throw new WharfError('failed-precondition', `${container.service} hook exited with status ${exitCode}`, {
      hint: `It was: ${(hook.command ?? []).join(' ')}`,
    });
  }
}

async function runHook(
  { client, options: { hookOutput } }: Pick<RunContext, 'client' | 'options'>,
  container: StartedContainer,
  { hook, service, signal }: { readonly hook: Hook; readonly service: Service; readonly signal: AbortSignal },
): Promise<number> {
  const body = {
    User: hook.user ?? '',
    Privileged: hook.privileged ?? false,
    Env: environment(hook.environment ?? {}),
    WorkingDir: hook.working_dir ?? '',
    Cmd: hook.command ?? [],
    AttachStdout: true,
    AttachStderr: true,
    Tty: service.tty ?? false,
  };
  const { Id } = await client.json<IDResponse>('POST', `/containers/${container.id}/exec`, { body, signal });
  // Attached to, whether anyone listens or not: the end of its output is the one sign of its end that needs no asking.
  const { stream } = await client.hijack('POST', `/exec/${Id}/start`, {
    body: { Detach: false, Tty: body.Tty },
    signal,
  });
  const lines = new LineSplitter((line) => hookOutput?.(container, line.toString('utf8')));
  const demuxer = new Demuxer((_stream, payload) => lines.push(payload));
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    stream.end();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (body.Tty) lines.push(chunk);
      else demuxer.push(chunk);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  signal.throwIfAborted();
  lines.end();
  const { ExitCode } = await client.json<ExecInspectResponse>('GET', `/exec/${Id}/json`, { signal });
  return ExitCode ?? 0;
}
