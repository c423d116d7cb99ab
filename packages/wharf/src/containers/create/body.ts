import type { Mount } from '../values/mount.ts';
import { orNull, toMap } from '../values/pairs.ts';
import { parsePorts } from '../values/ports.ts';
import { refuse } from '../values/refuse.ts';
import { parseVolume } from '../values/volume.ts';
import { type EndpointSettings, endpointsOf } from './endpoints.ts';
import { environmentOf } from './environment.ts';
import type { ContainerFlags } from './flags.ts';
import { healthOf } from './health.ts';
import { hostConfigOf } from './host-config.ts';
import { readKeyValueFiles } from './key-values.ts';
import type { ContainerWish } from './wish.ts';

export type CreateBody = ReturnType<typeof createBody>;

/**
 * The body of `POST /containers/create` that docker's client sends for the same line: clients and daemons know a field's absence from its
 * emptiness. Reads the files that the flags name. Throws in docker's words.
 */
export function createBody(wish: ContainerWish) {
  const { flags, given, image, command } = wish;
  checkRanges(flags);
  const volumes = volumesOf(wish);
  const ports = parsePorts(flags.publish, flags.expose);
  const attach = attachments(flags);
  const stopTimeout = given.has('stop-timeout') ? flags['stop-timeout'] : undefined;
  const health = healthOf(flags);
  return {
    Hostname: flags.hostname ?? '',
    Domainname: flags.domainname ?? '',
    User: flags.user ?? '',
    ...attach,
    ...(Object.keys(ports.exposed).length === 0 ? {} : { ExposedPorts: ports.exposed }),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    // The container's input ends with the client that is attached to it.
    StdinOnce: flags.interactive && attach.AttachStdin,
    Env: orNull(environmentOf(wish)),
    Cmd: orNull(command),
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: image,
    Volumes: Object.fromEntries(volumes.anonymous.map((path) => [path, {}])),
    WorkingDir: flags.workdir ?? '',
    Entrypoint: flags.entrypoint === undefined ? null : [flags.entrypoint],
    OnBuild: null,
    Labels: toMap([...readKeyValueFiles(flags['label-file']), ...flags.label]),
    ...(flags['stop-signal'] ? { StopSignal: flags['stop-signal'] } : {}),
    ...(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout }),
    HostConfig: hostConfigOf(wish, { binds: volumes.binds, ports: ports.bindings }),
    NetworkingConfig: { EndpointsConfig: endpointsOf(flags) as Readonly<Record<string, EndpointSettings>> },
  };
}

/** The body with more mounts at its end. */
export function withMounts(body: CreateBody, mounts: readonly Mount[]): CreateBody {
  return { ...body, HostConfig: { ...body.HostConfig, Mounts: [...(body.HostConfig.Mounts ?? []), ...mounts] } };
}

function attachments({ attach, interactive }: ContainerFlags) {
  return {
    AttachStdin: interactive || attach.includes('stdin'),
    AttachStdout: attach.length === 0 || attach.includes('stdout'),
    AttachStderr: attach.length === 0 || attach.includes('stderr'),
  };
}

function volumesOf({ flags, directory }: ContainerWish) {
  const binds: string[] = [];
  const anonymous: string[] = [];
  for (const text of new Set(flags.volume)) {
    const wish = parseVolume(text, directory);
    if ('bind' in wish) binds.push(wish.bind);
    else anonymous.push(wish.anonymous);
  }
  return { binds, anonymous };
}

function checkRanges(flags: ContainerFlags): void {
  const swappiness = flags['memory-swappiness'];
  if (swappiness < -1 || swappiness > 100) {
    throw refuse(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
}
