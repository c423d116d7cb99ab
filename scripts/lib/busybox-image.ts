import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { encodeTarHeader, TAR_END, tarPadding } from '@wharf/oci/tar/write';
import { isStatic } from './requirements.ts';
import { must } from './run.ts';

/** A file, directory or link of a layer that is made here. */
export interface LayerFile {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  readonly linkTo?: string;
  readonly directory?: true;
  readonly uid?: number;
  readonly gid?: number;
}

/** The `config` part of an image's configuration, in the image spec's spelling. */
export type ImageRunConfig = Readonly<Record<string, unknown>>;

export interface ImageRecipe {
  /** `wharf/demo:latest` */
  readonly reference: string;
  /** From the bottom up. */
  readonly layers: readonly (readonly LayerFile[])[];
  readonly config?: ImageRunConfig;
  readonly architecture?: string;
}

/** The path of the machine's own busybox, which needs no library. */
export function staticBusybox(): string {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(isStatic);
  if (busybox === undefined) throw new Error('no static busybox on this machine: apt-get install busybox-static');
  return busybox;
}

/** The machine's own busybox with a link for each applet: everything a small container needs. */
export async function busyboxFiles(): Promise<readonly LayerFile[]> {
  const busybox = staticBusybox();
  const applets = (await must([busybox, '--list'])).split('\n').filter((name) => name !== '' && name !== 'busybox');
  return [
    ...['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'usr', 'usr/bin', 'var', 'var/log', 'var/www'].map((path) =>
      directory(path),
    ),
    directory('tmp', 0o1777),
    { path: 'bin/busybox', content: readFileSync(busybox), mode: 0o755 },
    ...applets.map((name) => ({ path: `bin/${name}`, linkTo: 'busybox' })),
    {
      path: 'etc/passwd',
      content:
        'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    },
    { path: 'etc/group', content: 'root:x:0:\ndaemon:x:1:\nusers:x:100:\nnogroup:x:65534:\n' },
  ];
}

/** An image as `docker save` writes it, ready for `POST /images/load`. The same recipe gives the same bytes. */
export function dockerArchive(recipe: ImageRecipe): Buffer {
  const layers = recipe.layers.map(tarOf);
  const diffIds = layers.map((layer) => `sha256:${sha256(layer)}`);
  const config = JSON.stringify({
    architecture: recipe.architecture ?? (process.arch === 'x64' ? 'amd64' : process.arch),
    os: 'linux',
    created: '2026-01-01T00:00:00Z',
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Cmd: ['sh'],
      ...recipe.config,
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map((_, index) => ({
      created: '2026-01-01T00:00:00Z',
      created_by: `layer ${index + 1} of ${recipe.reference}`,
    })),
  });
  const configName = `${sha256(config)}.json`;
  const names = diffIds.map((diffId) => `${diffId.slice('sha256:'.length)}/layer.tar`);
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [recipe.reference], Layers: names }]);
  return tarOf([
    { path: configName, content: config },
    ...layers.map((content, index) => ({ path: names[index] ?? '', content })),
    { path: 'manifest.json', content: manifest },
  ]);
}

/** An archive of the files. The same ones give the same bytes. */
export function tarOf(files: readonly LayerFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const file of files) {
    const content = file.content === undefined ? Buffer.alloc(0) : Buffer.from(file.content);
    const type = file.directory ? 'directory' : file.linkTo === undefined ? 'file' : 'symlink';
    const header = encodeTarHeader({
      name: file.path,
      type,
      mode: file.mode ?? (type === 'file' ? 0o644 : 0o755),
      uid: file.uid ?? 0,
      gid: file.gid ?? 0,
      sizeBytes: content.length,
      mtimeNs: 1_767_225_600_000_000_000n,
      ...(file.linkTo === undefined ? {} : { linkName: file.linkTo }),
    });
    parts.push(header, content, tarPadding(content.length));
  }
  return Buffer.concat([...parts, TAR_END]);
}

function directory(path: string, mode = 0o755): LayerFile {
  return { path, directory: true, mode };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
