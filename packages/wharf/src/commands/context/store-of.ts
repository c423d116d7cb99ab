import { WharfError } from '@wharf/kit/errors';
import { contextName } from '@wharf/wire/docker-client/endpoint';
import type { CliContext } from '../../cli/context.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { ContextStore, checkContextName } from '../../contexts/context-store.ts';

/** The contexts of the configuration in use. */
export function storeOf<T extends FlagTable>(context: CliContext<T>): ContextStore {
  return new ContextStore(context.configDirectory, context.endpointChoice);
}

/** The name of the context in use. */
export function currentName<T extends FlagTable>(context: CliContext<T>): string {
  return contextName(context.endpointChoice);
}

/** Throws where no context of that name can be made. */
export function checkNew(store: ContextStore, name: string): void {
  checkContextName(name);
  if (store.has(name)) throw new WharfError('already-exists', `context "${name}" already exists`);
}

/** What keeps a chosen context from being used, for a warning; DOCKER_HOST and ours go before it. */
export function overridingVariable(): string | undefined {
  return ['WHARF_HOST', 'DOCKER_HOST'].find((name) => process.env[name]);
}
