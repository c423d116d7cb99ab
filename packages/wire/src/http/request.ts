import type { IncomingHttpHeaders } from 'node:http';
import { readJsonBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { SearchQuery } from './query.ts';
import type { ApiRequest, ApiVersion, Query } from './route.ts';

export interface RequestParts {
  readonly exchange: Exchange;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly search: string;
  readonly version: ApiVersion;
}

/** One request, as handlers see it. What costs something is made when first asked for. */
export class ServerRequest implements ApiRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly version: ApiVersion;
  readonly #exchange: Exchange;
  #json: Promise<unknown> | undefined;
  #abort: AbortController | undefined;

  constructor({ exchange, path, params, search, version }: RequestParts) {
    this.#exchange = exchange;
    this.path = path;
    this.params = params;
    this.query = new SearchQuery(search);
    this.version = version;
  }

  get method(): string {
    return this.#exchange.head.method;
  }

  get headers(): IncomingHttpHeaders {
    return this.#exchange.head.headers;
  }

  get body(): Exchange['body'] {
    return this.#exchange.body;
  }

  atLeast(minor: number): boolean {
    return this.version.minor >= minor || this.version.major > 1;
  }

  json(): Promise<unknown> {
    this.#json ??= readJsonBody(this.#exchange.head, this.#exchange.body);
    return this.#json;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController();
      this.#abort = abort;
      this.#exchange.onLeft((reason) => abort.abort(reason));
    }
    return this.#abort.signal;
  }
}
