import type { Entry, Group } from '../../cli/command.ts';
import { imageBuild } from '../builder/index.ts';
import { imageLooks, imageLooksShort } from './looks.ts';
import { imageMoves, imageMovesShort } from './moves.ts';

/** `wharf image …`. */
export const image: Group = {
  name: 'image',
  help: 'Manage images',
  commands: [imageBuild, ...imageLooks, ...imageMoves],
};

/** Commands of this noun that stand at the top too. */
export const imageShort: readonly Entry[] = [...imageLooksShort, ...imageMovesShort];
