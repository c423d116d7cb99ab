import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { isKind } from '@wharf/kit';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { StepSecrets } from '../ops/step-mounts.ts';
import { BytesMessage, CheckAgentRequest, GetSecretRequest, GetSecretResponse } from './messages.ts';
import type { Session } from './sessions.ts';

const GET_SECRET = '/moby.buildkit.secrets.v1.Secrets/GetSecret';
const CHECK_AGENT = '/moby.sshforward.v1.SSH/CheckAgent';
const FORWARD_AGENT = '/moby.sshforward.v1.SSH/ForwardAgent';

/** Secrets and ssh agents that a session lends. Sockets are made in `directory`; disposal closes them. */
export class SessionSecrets implements StepSecrets, Disposable {
  readonly #session: Session;
  readonly #directory: string;
  readonly #servers: Server[] = [];

  constructor(session: Session, directory: string) {
    this.#session = session;
    this.#directory = directory;
  }

  async secret(id: string): Promise<Uint8Array | undefined> {
    if (!this.#session.methods.has(GET_SECRET)) return undefined;
    try {
      const answer = await this.#session.client.unary(GET_SECRET, encode(GetSecretRequest, { ID: id }));
      return decode<{ readonly data: Uint8Array }>(GetSecretResponse, answer).data;
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined;
      throw error;
    }
  }

  async sshAgent(id: string): Promise<string | undefined> {
    if (!this.#session.methods.has(FORWARD_AGENT)) return undefined;
    try {
      await this.#session.client.unary(CHECK_AGENT, encode(CheckAgentRequest, { ID: id }));
    } catch (error) {
      // A client without that agent says so in an error of no particular status.
      if (error instanceof Error && error.message.includes('unset ssh forward key')) return undefined;
      throw error;
    }
    const path = join(this.#directory, `agent-${this.#servers.length}.sock`);
    const server = createServer((socket) => void this.#forward(id, socket));
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return path;
  }

  async #forward(id: string, socket: Socket): Promise<void> {
    const call = this.#session.client.open(FORWARD_AGENT, { 'buildkit.ssh.id': id });
    socket.on('error', () => call.cancel());
    socket.on('data', (data: Buffer) => void call.send(encode(BytesMessage, { data })).catch(() => socket.destroy()));
    socket.once('end', () => call.end());
    try {
      for await (const bytes of call.messages)
        socket.write(decode<{ readonly data: Uint8Array }>(BytesMessage, bytes).data);
      socket.end();
    } catch {
      // The agent at the other end is gone; so is this connection.
      socket.destroy();
    }
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close();
  }
}
