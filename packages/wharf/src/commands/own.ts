import type { Entry } from '../cli/command.ts';

/** What docker has no word for. */
export const own: readonly Entry[] = [
  {
    name: 'disk',
    help: 'Whose the bytes below the data root are',
    load: async () => (await import('./disk.ts')).disk,
  },
  {
    name: 'doctor',
    help: 'Look at the machine: what keeps containers from running, and how to mend it',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'registry',
    help: 'Serve images to others, and look after what is served',
    load: async () => (await import('./registry.ts')).registry,
  },
];
