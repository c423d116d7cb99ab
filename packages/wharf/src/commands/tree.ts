import type { Group } from '../cli/command.ts';
import { accountShort } from './account/index.ts';
import { builder, builderShort } from './builder/index.ts';
import { compose, composeShort } from './compose/index.ts';
import { container, containerShort } from './container/index.ts';
import { context, contextShort } from './context/index.ts';
import { image, imageShort } from './image/index.ts';
import { manifest, manifestShort } from './manifest/index.ts';
import { network, networkShort } from './network/index.ts';
import { own } from './own.ts';
import { plugin } from './plugin/index.ts';
import { shell } from './shell/index.ts';
import { system, systemShort } from './system/index.ts';
import { volume, volumeShort } from './volume/index.ts';

/** Every command of `wharf`. */
export const tree: Group = {
  name: 'wharf',
  help: 'Containers, images, builds and whole applications on this machine',
  commands: [
    ...[builder, compose, container, context, image, manifest, network, plugin, system, volume].filter(
      ({ commands }) => commands.length > 0,
    ),
    ...[accountShort, builderShort, composeShort, containerShort, contextShort, imageShort].flat(),
    ...[manifestShort, networkShort, systemShort, volumeShort].flat(),
    ...own,
    ...shell,
  ],
};
