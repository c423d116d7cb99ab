import { WharfError } from '@wharf/kit';
import { call, type DaemonCall, type Endpoint } from './endpoint.ts';
import { CLIENT_ANSWER_LIMIT_BYTES } from './limits.ts';

/** Asks the daemon and reads the JSON it answers with; `undefined` for an empty answer. Throws the daemon's own message. */
export async function askDaemon(endpoint: Endpoint, wanted: DaemonCall): Promise<unknown> {
  const { status, body } = await call(endpoint, wanted);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > CLIENT_ANSWER_LIMIT_BYTES) throw new WharfError('resource-exhausted', 'the answer is too large');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (status >= 400) throw daemonError(text);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

/** The error that an answer's body tells of. */
export function daemonError(text: string): WharfError {
  let message = text.trim();
  try {
    message = (JSON.parse(text) as { readonly message?: string }).message ?? message;
  } catch {
    // A proxy's page, say: shown as it came.
  }
  return new WharfError('failed-precondition', `Error response from daemon: ${message}`);
}
