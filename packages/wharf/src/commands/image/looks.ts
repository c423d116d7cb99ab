import type { Entry } from '../../cli/command.ts';

const list: Entry = {
  name: 'ls',
  aliases: ['list'],
  also: ['image ls', 'image list', 'images'],
  help: 'List images',
  load: async () => (await import('./ls.ts')).imageLs,
};

const history: Entry = {
  name: 'history',
  also: ['image history', 'history'],
  help: 'Show the history of an image',
  load: async () => (await import('./history.ts')).imageHistory,
};

/** What looks at images and changes nothing. */
export const imageLooks: readonly Entry[] = [
  history,
  {
    name: 'inspect',
    help: 'Display detailed information on one or more images',
    load: async () => (await import('./inspect.ts')).imageInspect,
  },
  list,
];

/** Those of them that stand at the top too. */
export const imageLooksShort: readonly Entry[] = [history, { ...list, name: 'images', aliases: [], common: 7 }];
