import { isIP } from 'node:net';
import { WharfError } from '@wharf/kit';
import { HOST_NETWORK_LINKS } from '@wharf/wire/docker/messages';
import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';
import { normalizeCapabilities } from '../runtime/oci-spec/capabilities.ts';
import { parseDeviceRule } from '../runtime/oci-spec/devices.ts';
import { ULIMIT_NAMES } from '../runtime/oci-spec/rlimits.ts';
import { parseSecurityOptions } from '../runtime/oci-spec/security-options.ts';

const refuse = (message: string) => new WharfError('invalid-argument', message);

/** Checks what does not depend on this host. Throws `invalid-argument` in Docker's words. */
export function validateHostConfig(host: HostConfig): void {
  validateRestartPolicy(host);
  for (const entry of host.ExtraHosts ?? []) {
    const [, address] = /^[^:=]+[:=](.+)$/.exec(entry) ?? [];
    if (address === undefined) throw refuse(`bad format for add-host: ${JSON.stringify(entry)}`);
    const bare = address.replace(/^\[(.*)\]$/, '$1');
    if (bare !== 'host-gateway' && isIP(bare) === 0) {
      throw refuse(`invalid IP address in add-host: ${JSON.stringify(address)}`);
    }
  }
  if (host.NetworkMode === 'container' || host.NetworkMode === 'container:') {
    throw refuse('invalid network mode: invalid container format container:<name|id>');
  }
  validatePorts(host);
  normalizeCapabilities(host.CapAdd, 'invalid CapAdd');
  normalizeCapabilities(host.CapDrop, 'invalid CapDrop');
  if (host.Isolation && host.Isolation !== 'default') {
    throw refuse(`invalid isolation (${host.Isolation}): linux only supports 'default'`);
  }
  if (Object.hasOwn(host.Annotations ?? {}, '')) {
    throw refuse('invalid Annotations: the empty string is not permitted as an annotation key');
  }
  for (const { Name, Soft, Hard } of host.Ulimits ?? []) {
    if (!ULIMIT_NAMES.includes(Name)) throw refuse(`invalid ulimit type: ${Name}`);
    if (Hard !== -1 && (Soft > Hard || Soft === -1)) {
      throw refuse(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    }
  }
  for (const rule of host.DeviceCgroupRules ?? []) parseDeviceRule(rule);
  parseSecurityOptions(host.SecurityOpt);
  validateModes(host);
  validateNumbers(host);
}

/** Throws for a policy dockerd does not know, or that contradicts itself or `--rm`. */
export function validateRestartPolicy(host: HostConfig): void {
  const name = host.RestartPolicy?.Name ?? '';
  const retries = host.RestartPolicy?.MaximumRetryCount ?? 0;
  if (host.AutoRemove === true && name !== '' && name !== 'no') {
    throw refuse("can't create 'AutoRemove' container with restart policy");
  }
  switch (name) {
    case '':
      if (retries !== 0) throw refuse("invalid restart policy: maximum retry count can only be used with 'on-failure'");
      return;
    case 'always':
    case 'unless-stopped':
    case 'no':
    case 'unhealthy':
      if (retries === 0) return;
      throw refuse(
        retries < 0
          ? "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative"
          : "invalid restart policy: maximum retry count can only be used with 'on-failure'",
      );
    case 'on-failure':
      if (retries < 0) throw refuse('invalid restart policy: maximum retry count cannot be negative');
      return;
    default:
      throw refuse(
        `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      );
  }
}

function validatePorts(host: HostConfig): void {
  for (const [port, bindings] of Object.entries(host.PortBindings ?? {})) {
    const number = Number(/^(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/i.exec(port)?.[1] ?? 0);
    if (number < 1 || number > 65_535) throw refuse(`invalid port specification: ${JSON.stringify(port)}`);
    for (const { HostPort } of bindings ?? []) {
      if (!HostPort) continue;
      const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(HostPort) ?? [];
      if (from === '' || Number(from) > Number(to) || Number(to) > 65_535) {
        throw refuse(`invalid port specification: ${JSON.stringify(HostPort)}`);
      }
    }
  }
}

function validateModes(host: HostConfig): void {
  const joins = (mode: string) => /^container:.+$/.test(mode);
  const ipc = host.IpcMode ?? '';
  if (!['', 'none', 'host', 'private', 'shareable'].includes(ipc) && !joins(ipc))
    throw refuse(`invalid IPC mode: ${ipc}`);
  const pid = host.PidMode ?? '';
  if (!['', 'host', 'private'].includes(pid) && !joins(pid)) throw refuse(`invalid PID mode: ${pid}`);
  if (!['', 'host'].includes(host.UTSMode ?? '')) throw refuse(`invalid UTS mode: ${host.UTSMode}`);
  if (!['', 'host', 'private'].includes(host.CgroupnsMode ?? '')) {
    throw refuse(`invalid cgroup namespace mode: ${host.CgroupnsMode}`);
  }
  if (!['', 'host', 'private', 'auto'].includes(host.UsernsMode ?? ''))
    throw refuse(`invalid user namespace mode: ${host.UsernsMode}`);
}

/** What a container that shares another's network, or the host's, cannot have of its own. Throws in Docker's words. */
export function validateSharedNetwork(config: ContainerConfig, host: HostConfig): void {
  const mode = host.NetworkMode ?? '';
  const conflict = (what: string) => refuse(`conflicting options: ${what}`);
  if (host.UTSMode === 'host' && config.Hostname) throw conflict('hostname and the UTS mode');
  const linked = (host.Links ?? []).length > 0;
  if (mode === 'host' && linked) throw refuse(HOST_NETWORK_LINKS);
  if (!mode.startsWith('container:')) return;
  if (config.Hostname) throw conflict('hostname and the network mode');
  if (linked) {
    throw conflict("container type network can't be used with links. This would result in undefined behavior");
  }
  if ((host.Dns ?? []).length > 0) throw conflict('dns and the network mode');
  if ((host.ExtraHosts ?? []).length > 0) throw conflict('custom host-to-IP mapping and the network mode');
  if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts === true) {
    throw conflict('port publishing and the container type network mode');
  }
  if (Object.keys(config.ExposedPorts ?? {}).length > 0) {
    throw conflict('port exposing and the container type network mode');
  }
}

function validateNumbers(host: HostConfig): void {
  if ((host.ShmSize ?? 0) < 0) throw refuse('SHM size can not be less than 0');
  const adjust = host.OomScoreAdj ?? 0;
  if (adjust < -1000 || adjust > 1000) {
    throw refuse(`Invalid value ${adjust}, range for oom score adj is [-1000, 1000]`);
  }
}
