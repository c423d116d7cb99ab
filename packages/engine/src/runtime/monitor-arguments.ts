import { join } from 'node:path';
import type { MonitorRequest } from './monitor.ts';

export const PID_FILE = 'pid';
export const ATTACH_SOCKET = 'attach';
export const CONTROL_FIFO = 'ctl';
export const OOM_FILE = 'oom';

/**
 * conmon's command line (conmon v2.1 `cli.c`). `--sync` keeps it our own child instead of forking away, so its pid is
 * known at once; it makes a session of its own and lives on without us. `--full-attach` puts the socket into the bundle.
 */
export function monitorArguments(request: MonitorRequest): readonly string[] {
  const { runtime, directory, exec } = request;
  const list = [
    '--sync',
    '--api-version',
    '--full-attach',
    '--no-sync-log',
    '--cid',
    request.containerId,
    '--cuuid',
    request.containerId,
    '--name',
    request.name,
    '--runtime',
    runtime.executable,
    '--bundle',
    directory,
    '--container-pidfile',
    join(directory, PID_FILE),
    '--log-level',
    'error',
    '--log-path',
    request.log.driver === 'none' ? 'none' : `k8s-file:${request.log.path}`,
  ];
  for (const argument of runtime.globalArguments) list.push(`--runtime-arg=${argument}`);
  if (request.terminal) list.push('--terminal');
  if (request.stdin) list.push('--stdin');
  if (request.stdin && request.leaveStdinOpen) list.push('--leave-stdin-open');
  if (request.exitDirectory !== undefined) list.push('--exit-dir', request.exitDirectory);
  if (request.restorePath !== undefined) list.push('--restore', request.restorePath);
  if (exec !== undefined) {
    list.push('--exec', '--exec-process-spec', exec.processPath);
    if (exec.attach) list.push('--exec-attach');
  }
  return list;
}
