import { isKind } from '@wharf/kit';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { CredentialsSource } from '../interfaces.ts';
import { CredentialsRequest, CredentialsResponse } from './messages.ts';
import type { Session } from './sessions.ts';

const METHOD = '/moby.filesync.v1.Auth/Credentials';
/** The name clients keep Docker Hub's credentials by. */
const HUB = 'registry-1.docker.io';

/** The credentials that a session's client has for registries; nobody's where it has none. */
export function sessionCredentials({ client, methods }: Session): CredentialsSource {
  return async (registry) => {
    if (!methods.has(METHOD)) return undefined;
    const Host = registry === 'docker.io' ? HUB : registry;
    let answer: Buffer;
    try {
      answer = await client.unary(METHOD, encode(CredentialsRequest, { Host }));
    } catch (error) {
      if (isKind(error, 'not-found') || isKind(error, 'not-implemented')) return undefined;
      throw error;
    }
    const { Username, Secret } = decode<{ readonly Username: string; readonly Secret: string }>(
      CredentialsResponse,
      answer,
    );
    if (Secret === '') return undefined;
    // Without a name the secret is a refresh token (docker's "identitytoken").
    return Username === '' ? { identityToken: Secret } : { username: Username, password: Secret };
  };
}
