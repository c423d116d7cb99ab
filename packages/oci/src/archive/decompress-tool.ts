import { closeSync, existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { pipe, spawnProcess } from '@wharf/linux/spawn';

/** Node has neither format; dockerd, too, asks these programs. busybox has both. */
const tools: Readonly<Record<'bzip2' | 'xz', readonly (readonly [path: string, ...argv: string[]])[]>> = {
  bzip2: [
    ['/usr/bin/bzip2', 'bzip2', '-dc'],
    ['/bin/bzip2', 'bzip2', '-dc'],
    ['/bin/busybox', 'bzip2', '-dc'],
    ['/usr/bin/busybox', 'bzip2', '-dc'],
  ],
  xz: [
    ['/usr/bin/xz', 'xz', '-dc'],
    ['/bin/busybox', 'xz', '-dc'],
    ['/usr/bin/busybox', 'xz', '-dc'],
  ],
};

/** Decompresses through a program. Throws `failed-precondition` without one, `data-loss` when it refuses the input. */
export async function* decompressWithTool(
  source: AsyncIterable<Buffer>,
  format: 'bzip2' | 'xz',
): AsyncGenerator<Buffer> {
  const tool = tools[format].find(([path]) => existsSync(path));
  if (tool === undefined) {
    throw new WharfError(
      'failed-precondition',
      `Cannot decompress ${format} stream: no ${format} program is installed`,
      {
        hint: format === 'xz' ? 'apt-get install xz-utils' : 'apt-get install bzip2',
      },
    );
  }
  const [path, ...argv] = tool;
  const input = pipe();
  const output = pipe();
  const child = spawnProcess({ path, argv, fds: { 0: input.readFd, 1: output.writeFd } });
  closeSync(input.readFd);
  closeSync(output.writeFd);
  const sink = new Socket({ fd: input.writeFd, readable: false, writable: true });
  const result = new Socket({ fd: output.readFd, readable: true, writable: false });
  let sourceError: Error | undefined;
  let wroteAll = false;
  pipeline(Readable.from(source, { objectMode: false }), sink, (error) => {
    // The program may end before it has read all (trailing garbage): its exit status tells.
    if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') sourceError = error;
    wroteAll = true;
    if (sourceError !== undefined) child.kill(15);
  });
  try {
    for await (const chunk of result) yield chunk as Buffer;
    const { code } = await child.exited;
    if (sourceError !== undefined) throw sourceError;
    if (code !== 0) throw new WharfError('data-loss', `Cannot decompress ${format} stream: ${argv[0]} refused it`);
  } finally {
    if (!wroteAll) sink.destroy();
    result.destroy();
    child.kill(9);
    await child.exited;
  }
}
