import { WharfError } from '@wharf/kit';
import type { GrpcCall } from '@wharf/wire/grpc/server';

/** The message of a call that has one. Throws `invalid-argument` without. */
export async function firstMessage(call: GrpcCall): Promise<Buffer> {
  for await (const message of call.messages) return message;
  throw new WharfError('invalid-argument', 'Cannot answer a call without a message');
}
