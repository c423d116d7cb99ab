import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerRecord } from '../containers/container.ts';
import { userIn } from '../containers/user-lookup.ts';
import type { EngineConfig } from '../engine-config.ts';
import { buildExecProcess, environmentOf, type HostLimits, stringifySpec } from '../runtime/oci-spec/build.ts';
import { mergeEnvironment } from '../runtime/oci-spec/environment.ts';
import type { ExecConfig } from './exec-service.ts';

/** Where the root filesystem of a running container is mounted. */
export function rootfsOf(config: Pick<EngineConfig, 'execRoot'>, record: ContainerRecord): string {
  // With a user namespace the files that the process sees are mounted in its own mount namespace only.
  if (record.userNamespace !== undefined) return `/proc/${record.state.pid}/root`;
  return join(config.execRoot, 'containers', record.id, 'rootfs');
}

/**
 * Writes the process document of an exec (OCI runtime-spec, config.md, "Process") into a directory made for it, and returns
 * the document's path. The user is looked up in the container's files as they are now.
 * Throws `invalid-argument` for an unknown user.
 */
export function writeExecProcess(options: {
  readonly directory: string;
  readonly record: ContainerRecord;
  readonly config: Pick<EngineConfig, 'execRoot' | 'defaultUlimits'>;
  readonly host: HostLimits;
  readonly exec: Pick<ExecConfig, 'command' | 'env' | 'user' | 'workingDirectory' | 'tty' | 'privileged'>;
  readonly consoleSize: { readonly height: number; readonly width: number } | undefined;
}): string {
  const { directory, record, config, host, exec } = options;
  const user = userIn(
    rootfsOf(config, record),
    exec.user || (record.config.User ?? ''),
    record.hostConfig.GroupAdd ?? [],
  );
  const process = buildExecProcess({
    host,
    record,
    user,
    command: exec.command,
    environment: mergeEnvironment(environmentOf(record, exec.tty), exec.env),
    workingDirectory: exec.workingDirectory || (record.config.WorkingDir ?? ''),
    terminal: exec.tty,
    privileged: exec.privileged || record.hostConfig.Privileged === true,
    consoleSize: options.consoleSize,
    defaultUlimits: config.defaultUlimits,
  });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'process.json');
  writeFileSync(path, stringifySpec(process), { mode: 0o600 });
  return path;
}
