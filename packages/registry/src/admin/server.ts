import { isKind, type Logger, messageOf, WharfError } from '@wharf/kit';
import type { Plan } from '@wharf/wire/http/connection';
import type { Exchange } from '@wharf/wire/http/exchange';
import { ServerResponse } from '@wharf/wire/http/response';
import { SocketHost } from '@wharf/wire/http/socket-host';
import { receive } from '../http/receive.ts';
import { MAX_ADMIN_REQUEST_BYTES } from '../limits.ts';
import type { Administration } from './administration.ts';
import type { Input } from './operation.ts';

/** Takes administrators' commands on a unix socket: `POST /` with `{"operation", "input"}` (`progress` with `of` asks how far a long one is), answered with `{"result"}` or `{"error", "kind"}`. */
export class AdminServer extends SocketHost {
  readonly baseHeaders = 'Cache-Control: no-store\r\n';
  readonly #administration: () => Promise<Administration>;

  constructor(options: { readonly administration: () => Promise<Administration>; readonly log: Logger }) {
    super({ log: options.log, limits: { connections: 64, idleTimeoutMs: 60_000 } });
    this.#administration = options.administration;
  }

  plan(exchange: Exchange): Plan {
    return { holdInput: false, run: () => void this.#answer(exchange) };
  }

  async #answer(exchange: Exchange): Promise<void> {
    const response = new ServerResponse(exchange, undefined);
    try {
      const { operation, input } = await readRequest(exchange);
      const administration = await this.#administration();
      if (operation === 'progress') {
        response.json(200, { result: administration.progressOf(String(input['of'])) ?? null });
        return;
      }
      // Who goes away does not wait for the end of a long command.
      const left = new AbortController();
      exchange.onGone(() => left.abort());
      response.json(200, { result: (await administration.run(operation, input, left.signal)) ?? null });
    } catch (error) {
      const known = error instanceof WharfError ? error.kind : undefined;
      if (known === undefined) this.log.error({ error: messageOf(error) }, 'a command failed');
      if (exchange.writable && !isKind(error, 'aborted'))
        response.json(known === undefined ? 500 : 400, { error: messageOf(error), kind: known ?? 'internal' });
    }
  }
}

async function readRequest(exchange: Exchange): Promise<{ readonly operation: string; readonly input: Input }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await receive(exchange, (chunk) => {
    bytes += chunk.length;
    if (bytes > MAX_ADMIN_REQUEST_BYTES) throw new WharfError('invalid-argument', 'The command is too long');
    chunks.push(chunk);
    return undefined;
  });
  const body: unknown = parse(Buffer.concat(chunks).toString('utf8'));
  if (typeof body === 'object' && body !== null && 'operation' in body && typeof body.operation === 'string') {
    const input: unknown = 'input' in body ? body.input : {};
    if (typeof input === 'object' && input !== null) return { operation: body.operation, input: { ...input } };
  }
  throw new WharfError('invalid-argument', 'The command is not of the form {"operation", "input"}');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WharfError('invalid-argument', 'The command is no JSON', { cause });
  }
}
