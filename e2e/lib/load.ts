import { Agent, get } from 'node:http';
import { delay } from '../../scripts/lib/delay.ts';

const WORKERS = 4;
const TIMEOUT_MS = 20_000;

/** Asks for a page again and again, each time on a new connection, until it is stopped. */
export class Load {
  /** Every body that came with status 200. */
  readonly bodies: string[] = [];
  /** What went wrong, as lines to read. */
  readonly failures: string[] = [];
  #going = true;
  readonly #workers: Promise<unknown>;

  constructor(url: string) {
    this.#workers = Promise.all(Array.from({ length: WORKERS }, () => this.#work(url)));
  }

  async #work(url: string): Promise<void> {
    while (this.#going) {
      try {
        this.bodies.push(await fetchPage(url));
      } catch (error) {
        this.failures.push(String(error));
      }
      // Enough to be asked at any moment, not enough to keep the machine from anything else.
      await delay(10);
    }
  }

  /** Ends it, when what is under way is answered. */
  async stop(): Promise<this> {
    this.#going = false;
    await this.#workers;
    return this;
  }
}

/** The body of a page, asked for on a connection of its own. Throws unless its status is 200. */
export function fetchPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const request = get(url, { agent, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${response.statusCode ?? 0}: ${body.slice(0, 500)}`));
      });
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.once('error', reject);
  });
}
