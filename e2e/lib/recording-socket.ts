import { createServer, type Server } from 'node:http';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

/** A socket that answers as a daemon which makes every container it is asked for, and keeps what it was asked. */
export class RecordingSocket implements AsyncDisposable {
  readonly host: string;
  readonly requests: RecordedRequest[] = [];
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.host = `unix://${path}`;
    this.#server = server;
  }

  static async listen(path: string): Promise<RecordingSocket> {
    const server = createServer();
    const socket = new RecordingSocket(path, server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '' } = request;
        response.setHeader('Api-Version', '1.50');
        response.setHeader('Ostype', 'linux');
        response.setHeader('Content-Type', 'application/json');
        if (url.endsWith('/_ping')) return response.end('OK');
        socket.requests.push({ method, url, body: Buffer.concat(chunks).toString() });
        response.statusCode = url.includes('/containers/create') ? 201 : 404;
        return response.end(JSON.stringify({ Id: 'f'.repeat(64), Warnings: [], message: 'it only makes containers' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
