import { LineSplitter } from '@wharf/compose/logs/line-splitter';
import type { Hook } from '@wharf/compose/model/service';
import { WharfError } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { Demuxer } from '@wharf/wire/stdcopy';

/** Runs a command in a container to its end; its lines go to `onLine`. Throws when its status is not 0. */
export async function execIn(
  client: DockerClient,
  container: string,
  given: { readonly hook: Hook; readonly onLine: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { hook, onLine, signal } = given;
  const body = {
    Cmd: hook.command,
    User: hook.user ?? '',
    Privileged: hook.privileged ?? false,
    WorkingDir: hook.working_dir ?? '',
    Env: Object.entries(hook.environment ?? {}).map(([name, value]) => (value === null ? name : `${name}=${value}`)),
    ...{ AttachStdout: true, AttachStderr: true },
  };
  const { Id } = await client.json<{ readonly Id: string }>('POST', `/containers/${container}/exec`, { body, signal });
  const headers = { 'Content-Type': 'application/json' };
  const { stream } = await client.hijack('POST', `/exec/${Id}/start`, {
    body: { Detach: false, Tty: false },
    headers,
    signal,
  });
  const lines = new LineSplitter((line) => onLine(line.toString()));
  const demuxer = new Demuxer((_stream, bytes) => lines.push(bytes));
  for await (const chunk of stream as AsyncIterable<Buffer>) demuxer.push(chunk);
  lines.end();
  const { ExitCode } = await client.json<{ readonly ExitCode: number | null }>('GET', `/exec/${Id}/json`, { signal });
  if (ExitCode !== null && ExitCode !== 0) {
    throw new WharfError('failed-precondition', `exit code ${ExitCode}`);
  }
}
