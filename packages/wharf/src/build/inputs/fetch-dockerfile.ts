import { messageOf, WharfError } from '@wharf/kit';
import { MAX_DOCKERFILE_BYTES } from '../limits.ts';

const TIMEOUT_MS = 30_000;

/** The text at an address. Throws `unavailable` when it cannot be had, `invalid-argument` when it is too large. */
export async function fetchDockerfile(address: string): Promise<string> {
  let text: string;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`the server answered ${answer.status} ${answer.statusText}`);
    text = await readBounded(answer);
  } catch (error) {
    if (error instanceof WharfError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new WharfError('unavailable', `Cannot fetch the Dockerfile at "${address}": ${messageOf(cause)}`, {
      cause: error,
    });
  }
  return text;
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_DOCKERFILE_BYTES) {
      throw new WharfError(
        'invalid-argument',
        `Cannot use the Dockerfile: it is larger than ${MAX_DOCKERFILE_BYTES} bytes`,
      );
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}
