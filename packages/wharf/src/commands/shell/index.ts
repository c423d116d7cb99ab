import type { Entry } from '../../cli/command.ts';

/** What shells and manuals ask of the program. */
export const shell: readonly Entry[] = [
  {
    name: 'completion',
    help: 'Print what bash, fish or zsh load to complete commands, flags and names',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'man',
    help: 'Write the manual, a page for each command',
    load: async () => (await import('./man.ts')).man,
  },
  {
    name: '__complete',
    help: 'What fits the last word of a line',
    hidden: true,
    load: async () => (await import('./complete.ts')).completeLine,
  },
];
