import type { Entry } from '../../cli/command.ts';

/** Commands about registries' accounts, which have no noun of their own: login, logout, search. */
export const accountShort: readonly Entry[] = [
  {
    name: 'login',
    help: 'Authenticate to a registry',
    common: 8,
    load: async () => (await import('./login.ts')).login,
  },
  {
    name: 'logout',
    help: 'Log out from a registry',
    common: 9,
    load: async () => (await import('./logout.ts')).logout,
  },
  {
    name: 'search',
    help: 'Search Docker Hub for images',
    common: 10,
    load: async () => (await import('./search.ts')).search,
  },
];
