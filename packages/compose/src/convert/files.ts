import { WharfError } from '@wharf/kit';
import type { Mount } from '@wharf/wire/docker/types';
import type { Project } from '../model/project.ts';
import type { FileObject } from '../model/resources.ts';
import type { FileMount, Service } from '../model/service.ts';
import type { HostFiles } from './host.ts';

export type FileKind = 'secret' | 'config';

/** A file to be written into the container before it starts. */
export interface Upload {
  readonly kind: FileKind;
  /** Absolute. */
  readonly target: string;
  readonly content: Buffer;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** An owner was asked for; else it is root's. */
  readonly owned: boolean;
}

/** How the secrets and configs of a service get into its containers. */
export interface FilePlacement {
  /** Files of the host, mounted read-only. */
  readonly mounts: readonly Mount[];
  readonly uploads: readonly Upload[];
  readonly warnings: readonly string[];
}

const DEFAULT_MODE = 0o444;

/**
 * A file of the host is mounted, as docker compose does; where an owner or a mode is asked for it is written into the container
 * instead (compose ignores these). Variables and texts are always written.
 *
 * Throws `invalid-argument` for what no engine without a cluster has, and for what cannot be written into a read-only
 * service.
 */
export function placeFiles(project: Project, name: string, service: Service, host: HostFiles): FilePlacement {
  const mounts: Mount[] = [];
  const uploads: Upload[] = [];
  const warnings: string[] = [];
  const all = [
    ...(service.secrets ?? []).map((mount) => ({ kind: 'secret' as const, mount, from: project.secrets })),
    ...(service.configs ?? []).map((mount) => ({ kind: 'config' as const, mount, from: project.configs })),
  ];
  for (const { kind, mount, from } of all) {
    const object = from[mount.source ?? ''] ?? {};
    refuseUnsupported(kind, object);
    const target = targetOf(kind, mount);
    const text = textOf(project, kind, object);
    if (text !== undefined) {
      if (text === '') continue;
      if (service.read_only === true) {
        throw new WharfError(
          'invalid-argument',
          `cannot create ${kind} ${JSON.stringify(object.name ?? '')} in read-only service ${name}: \`file\` is the sole supported option`,
        );
      }
      uploads.push(upload(kind, target, mount, Buffer.from(text)));
      continue;
    }
    const { file = '' } = object;
    const found = host.kind(file);
    if (kind === 'secret' && found === 'missing') warnings.push(`secret file ${object.name ?? ''} does not exist`);
    const special = mount.uid !== undefined || mount.gid !== undefined || mount.mode !== undefined;
    if (special && found === 'file' && service.read_only !== true) {
      uploads.push(upload(kind, target, mount, host.read(file)));
      continue;
    }
    if (special) {
      warnings.push(
        `${kind === 'secret' ? 'secrets' : 'config'} \`uid\`, \`gid\` and \`mode\` are not supported, they will be ignored`,
      );
    }
    const options = kind === 'secret' ? { BindOptions: {} } : {};
    mounts.push({ Type: 'bind', Source: file, Target: target, ReadOnly: true, ...options });
  }
  return { mounts, uploads, warnings };
}

function refuseUnsupported(kind: FileKind, object: FileObject): void {
  if (object.external === true) {
    throw new WharfError('invalid-argument', `unsupported external ${kind} ${object.name ?? ''}`);
  }
  for (const key of ['driver', 'template_driver'] as const) {
    if (object[key]) {
      throw new WharfError('invalid-argument', `Docker Compose does not support ${kind}s.*.${key}`);
    }
  }
}

/** Its text where it has one: written in the file, or a variable's value. */
function textOf(project: Project, kind: FileKind, object: FileObject): string | undefined {
  if (object.content !== undefined && object.content !== '') return object.content;
  const variable = object.environment;
  if (variable === undefined || variable === '') return undefined;
  const value = project.environment[variable];
  if (value === undefined) {
    throw new WharfError(
      'invalid-argument',
      `environment variable ${JSON.stringify(variable)} required by ${kind} ${JSON.stringify(object.name ?? '')} is not set`,
    );
  }
  return value;
}

function targetOf(kind: FileKind, { source = '', target = '' }: FileMount): string {
  const directory = kind === 'secret' ? '/run/secrets/' : '/';
  if (target === '') return directory + source;
  return target.startsWith('/') ? target : directory + target;
}

function upload(kind: FileKind, target: string, mount: FileMount, content: Buffer): Upload {
  const number = (what: string, text: string | undefined): number => {
    if (text === undefined || text === '') return 0;
    if (/^\d+$/.test(text)) return Number(text);
    throw new WharfError('invalid-argument', `Cannot use "${text}" as ${what} of ${kind} "${target}": it is no number`);
  };
  return {
    kind,
    target,
    content,
    mode: mount.mode === undefined ? DEFAULT_MODE : Number.parseInt(mount.mode, 8),
    uid: number('uid', mount.uid),
    gid: number('gid', mount.gid),
    owned: (mount.uid ?? '') !== '' || (mount.gid ?? '') !== '',
  };
}
