import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Output } from '../../cli/output.ts';

/** Height and width as the Engine API has them; zeros where there is no terminal. */
export function consoleSize(out: Output): readonly [height: number, width: number] {
  if (!out.isTerminal) return [0, 0];
  // A terminal whose size nobody set has none.
  const [columns, rows] = out.stream.getWindowSize();
  return [rows, columns];
}

const TRIES = 10;
const PAUSE_MS = 10;

interface Followed {
  readonly client: DockerClient;
  /** `/containers/web/resize`, `/exec/ID/resize`. */
  readonly path: string;
  readonly out: Output;
  readonly err: Output;
  /** Makes the terminal another size first, so that what runs there draws itself again. */
  readonly redraw?: boolean;
}

/** Gives the container's terminal the size of ours, now and whenever ours changes, until it is disposed. */
export function followSize({ client, path, out, err, redraw = false }: Followed): Disposable {
  const resize = async (more = 0): Promise<void> => {
    const [h, w] = consoleSize(out);
    if (h > 0 || w > 0) await client.text('POST', path, { query: { h: h + more, w: w + more } });
  };
  let isOver = false;
  const first = async (): Promise<void> => {
    if (redraw) await resize(1).catch(() => undefined);
    // A process that was started a moment ago may not have its terminal yet.
    for (let attempt = 0; !isOver; attempt += 1) {
      const done = await resize().then(
        () => true,
        () => false,
      );
      if (done) return;
      if (attempt === TRIES) return err.line('failed to resize tty, using default size');
      await new Promise((resolve) => setTimeout(resolve, (attempt + 1) * PAUSE_MS));
    }
  };
  const onResize = (): void => void resize().catch(() => undefined);
  out.stream.on('resize', onResize);
  void first();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      out.stream.off('resize', onResize);
    },
  };
}
