import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { messageOf, WharfError } from '@wharf/kit';
import { parseJson } from '../json.ts';
import { PLUGIN_ANSWER_BYTES, PLUGIN_CALL_TIMEOUT_MS, PLUGIN_RETRY_DELAYS_MS } from './limits.ts';

/** Where a plugin listens: what its socket, `.spec` or `.json` file says. */
export interface PluginAddress {
  readonly name: string;
  /** `unix:///path`, `tcp://host:port`, `http://…` or `https://…`. */
  readonly address: string;
  readonly tls?: PluginTls | undefined;
}

export interface PluginTls {
  readonly insecureSkipVerify?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const MEDIA_TYPE = 'application/vnd.docker.plugins.v1.2+json';

/** Speaks the plugin protocol, version 1: one POST a call, JSON both ways, one connection each. */
export class PluginClient {
  readonly name: string;
  readonly #target: RequestOptions;
  readonly #isTls: boolean;

  /** Throws `invalid-argument` for an address of no known kind, and what reading the TLS files throws. */
  constructor(plugin: PluginAddress) {
    this.name = plugin.name;
    const { target, isTls } = parseAddress(plugin);
    this.#target = target;
    this.#isTls = isTls;
  }

  /**
   * Calls `Type.Method`. While nobody listens it tries again for a few seconds: plugins are started beside the daemon.
   * Throws `unavailable` when it cannot be reached or does not answer in time, `not-implemented` where it has no such method,
   * `internal` (`Type.Method: text`) when it answers with an error.
   */
  async call(method: string, body: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(method, body, options.signal);
      } catch (error) {
        const delay = PLUGIN_RETRY_DELAYS_MS[attempt];
        if (!(error instanceof NobodyListens) || delay === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  async #once(method: string, body: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const deadline = AbortSignal.timeout(PLUGIN_CALL_TIMEOUT_MS);
    const ends = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const { status, text } = await this.#post(method, JSON.stringify(body ?? {}), ends);
    if (status === 404) throw new WharfError('not-implemented', `${method}: the plugin has no such method`);
    if (status !== 200) throw new WharfError('internal', `${method}: ${errorText(text)}`);
    try {
      return text.trim() === '' ? {} : parseJson(text);
    } catch (cause) {
      throw new WharfError('internal', `${method}: the plugin's answer is not JSON`, { cause });
    }
  }

  #post(method: string, payload: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(describe(this.name, method, error));
      const builtin = this.#isTls ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
      const request = builtin.request({
        ...this.#target,
        method: 'POST',
        path: `/${method}`,
        agent: false,
        signal,
        headers: {
          host: this.name,
          accept: MEDIA_TYPE,
          'content-type': MEDIA_TYPE,
          'content-length': Buffer.byteLength(payload),
        },
      });
      request.on('error', fail);
      request.on('response', (response) => {
        readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), fail);
      });
      request.end(payload);
    });
  }
}

/** Connecting failed: the call was not made, so it may be made again. */
class NobodyListens extends WharfError {}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > PLUGIN_ANSWER_BYTES) throw new WharfError('resource-exhausted', "The plugin's answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** An error's body is `{"Err": text}`, or plain text. */
function errorText(text: string): string {
  try {
    const { Err } = parseJson(text) as { readonly Err?: unknown };
    return typeof Err === 'string' ? Err : text.trim();
  } catch {
    return text.trim();
  }
}

function describe(name: string, method: string, error: unknown): WharfError {
  if (error instanceof WharfError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = `error while sending request to plugin "${name}" (${method}): ${messageOf(error)}`;
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return new NobodyListens('unavailable', message, { cause: error });
  return new WharfError('unavailable', message, { cause: error });
}

function parseAddress({ name, address, tls }: PluginAddress): {
  readonly target: RequestOptions;
  readonly isTls: boolean;
} {
  const url = URL.parse(address);
  if (url?.protocol === 'unix:') return { target: { socketPath: url.pathname }, isTls: false };
  const known = url !== null && ['tcp:', 'http:', 'https:'].includes(url.protocol);
  if (!known || url.hostname === '' || url.port === '') {
    throw new WharfError('invalid-argument', `plugin "${name}" has an invalid address: ${address}`);
  }
  const target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
  if (tls === undefined) return { target, isTls: url.protocol === 'https:' };
  const { caFile, certFile, keyFile } = tls;
  return {
    isTls: true,
    target: {
      ...target,
      rejectUnauthorized: tls.insecureSkipVerify !== true,
      ...(caFile ? { ca: readFileSync(caFile) } : {}),
      ...(certFile ? { cert: readFileSync(certFile) } : {}),
      ...(keyFile ? { key: readFileSync(keyFile) } : {}),
    } as RequestOptions,
  };
}
