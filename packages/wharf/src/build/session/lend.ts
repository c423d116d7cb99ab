import { createConnection, type Socket } from 'node:net';
import {
  BytesMessage,
  CheckAgentRequest,
  CredentialsRequest,
  CredentialsResponse,
  GetSecretRequest,
  GetSecretResponse,
} from '@wharf/builder/buildkit/messages';
import { decode, encode, type MessageType } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall, GrpcHandler, GrpcMethods } from '@wharf/wire/grpc/server';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import type { DockerConfig } from '../../client-config/docker-config.ts';
import { type SecretSource, secretValue } from '../loans.ts';

/** What a build may use of whoever builds. */
export interface Loans {
  readonly secrets: ReadonlyMap<string, SecretSource>;
  /** Sockets of ssh agents, by id. */
  readonly agents: ReadonlyMap<string, string>;
  readonly config: DockerConfig;
}

/** Secrets, ssh agents and logins, as the daemon asks for them (BuildKit's session services of these names). */
export function lendingMethods({ secrets, agents, config }: Loans): GrpcMethods {
  const methods = new Map<string, GrpcHandler>();
  methods.set(
    '/moby.filesync.v1.Auth/Credentials',
    answering(CredentialsRequest, CredentialsResponse, async ({ Host }: { readonly Host: string }) => {
      const { username, password, identitytoken } = await config.login(Host);
      // A secret without a user is a token.
      return identitytoken === '' ? { Username: username, Secret: password } : { Username: '', Secret: identitytoken };
    }),
  );
  if (secrets.size > 0) {
    methods.set(
      '/moby.buildkit.secrets.v1.Secrets/GetSecret',
      answering(GetSecretRequest, GetSecretResponse, ({ ID }: { readonly ID: string }) => {
        const source = secrets.get(ID);
        const data = source === undefined ? undefined : secretValue(source);
        if (data === undefined) throw new GrpcError(GRPC.NOT_FOUND, `secret ${ID}: not found`);
        return Promise.resolve({ data });
      }),
    );
  }
  if (agents.size > 0) {
    methods.set(
      '/moby.sshforward.v1.SSH/CheckAgent',
      answering(CheckAgentRequest, EMPTY, ({ ID }: { readonly ID: string }) => {
        agentOf(agents, ID);
        return Promise.resolve({});
      }),
    );
    methods.set('/moby.sshforward.v1.SSH/ForwardAgent', (call) =>
      forward(call, agentOf(agents, call.metadata.get('buildkit.ssh.id')?.[0] ?? '')),
    );
  }
  return methods;
}

const EMPTY: MessageType = { name: 'Empty', fields: {} };

/** A method that takes one message and answers with one. */
export function answering<T>(
  request: MessageType,
  response: MessageType,
  answer: (value: T) => Promise<object>,
): GrpcHandler {
  return async (call) => {
    for await (const bytes of call.messages) {
      await call.send(encode(response, await answer(decode<T>(request, bytes))));
      return;
    }
    throw new GrpcError(GRPC.INVALID_ARGUMENT, 'the call came without a message');
  };
}

function agentOf(agents: ReadonlyMap<string, string>, id: string): string {
  const socket = agents.get(id === '' ? 'default' : id);
  if (socket === undefined) throw new GrpcError(GRPC.NOT_FOUND, `unset ssh forward key ${id === '' ? 'default' : id}`);
  return socket;
}

/** Joins a call with a connection to the agent, byte by byte, until either side ends. */
async function forward(call: GrpcCall, path: string): Promise<void> {
  const socket = createConnection(path);
  const abort = (): void => void socket.destroy();
  call.signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.all([fromAgent(socket, call), toAgent(call, socket)]);
  } finally {
    call.signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

async function fromAgent(socket: Socket, call: GrpcCall): Promise<void> {
  for await (const data of socket as AsyncIterable<Buffer>) await call.send(encode(BytesMessage, { data }));
}

async function toAgent(call: GrpcCall, socket: Socket): Promise<void> {
  for await (const bytes of call.messages) {
    socket.write(decode<{ readonly data: Uint8Array }>(BytesMessage, bytes).data);
  }
  socket.end();
}
