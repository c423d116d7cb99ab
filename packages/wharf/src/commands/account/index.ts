import type { Entry } from '../../cli/command.ts';

/** Commands about registries' accounts, which have no noun of their own: login, logout, search. */
export const accountShort: readonly Entry[] = [];
