import type { Logger } from '@wharf/kit';
import type { Plan } from '@wharf/wire/http/connection';
import type { Exchange } from '@wharf/wire/http/exchange';
import { ServerResponse } from '@wharf/wire/http/response';
import { SocketHost } from '@wharf/wire/http/socket-host';
import { splitTarget } from './target.ts';

export interface MonitorOptions {
  readonly log: Logger;
  readonly version: string;
  /** Prometheus' text format. */
  readonly metrics: () => string;
  /** Why the registry cannot do its work now; `undefined` when it can. */
  readonly trouble: () => string | undefined;
}

/** What watches the registry, on an address of its own: `/metrics`, `/healthz` (alive), `/readyz` (fit to be sent requests). */
export class MonitorServer extends SocketHost {
  readonly baseHeaders: string;
  readonly #options: MonitorOptions;

  constructor(options: MonitorOptions) {
    super({ log: options.log, limits: { connections: 256, idleTimeoutMs: 60_000 } });
    this.#options = options;
    this.baseHeaders = `Server: Wharf/${options.version}\r\nCache-Control: no-store\r\n`;
  }

  plan(exchange: Exchange): Plan {
    return { holdInput: false, run: () => this.#answer(exchange) };
  }

  #answer(exchange: Exchange): void {
    const response = new ServerResponse(exchange, undefined);
    const path = splitTarget(exchange.head.target)?.path;
    const reading = exchange.head.method === 'GET' || exchange.head.method === 'HEAD';
    if (!reading) response.text(405, 'method not allowed\n');
    else if (path === '/metrics')
      response.text(200, this.#options.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    else if (path === '/healthz') response.json(200, { status: 'ok' });
    else if (path === '/readyz') {
      const trouble = this.#options.trouble();
      if (trouble === undefined) response.json(200, { status: 'ok' });
      else response.json(503, { status: 'unfit', reason: trouble });
    } else response.text(404, '404 page not found\n');
  }
}
