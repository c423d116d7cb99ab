import type { Entry } from '../cli/command.ts';

/** Nouns of docker that stand for what wharf does not have. */
const REFUSED: Readonly<Record<string, string>> = {
  checkpoint: 'containers are not frozen to disk',
  config: 'it belongs to Swarm; Compose files have configs of their own',
  node: 'it belongs to Swarm',
  secret: 'it belongs to Swarm; Compose files and builds have secrets of their own',
  service: 'it belongs to Swarm',
  stack: 'it belongs to Swarm; use `wharf compose`',
  swarm: 'there are no clusters of Docker here',
  trust: 'Notary is gone; images are signed and checked beside their registry',
};

const refused: readonly Entry[] = Object.entries(REFUSED).map(([name, why]) => ({
  name,
  help: why,
  hidden: true,
  load: async () => (await import('./refuse.ts')).refuse(name, why),
}));

/** What docker has no word for, and the words of docker that are refused. */
export const own: readonly Entry[] = [
  {
    name: 'df',
    help: 'Show what takes the disk, and what of it can be freed',
    load: async () => (await import('./df.ts')).df,
  },
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
  ...refused,
];
