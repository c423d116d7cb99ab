import { lstatSync, readdirSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { mknod, S } from '@wharf/linux/fsx';
import type { ByteString } from '../tar/bytes.ts';
import { baseOf, parentOf } from './names.ts';
import { type NodeMaker, needsParent } from './node-maker.ts';
import { AUFS_PREFIX, OPAQUE_MARKER, WHITEOUT_PREFIX } from './whiteout.ts';

export type WhiteoutForm = 'overlay' | 'remove';

/**
 * Turns the whiteouts of a layer into overlayfs's, or into deletions where the layer is unpacked over those below it.
 *
 * Invariant: a whiteout hides what is below, never what its own layer brings, in whichever order they come (OCI
 * image-spec, layer.md: "can only be hidden by whiteout files in subsequent layers").
 */
export class Whiteouts {
  readonly #form: WhiteoutForm;
  readonly #nodes: NodeMaker;
  /** Names this layer brought; needed only where deleting could hit them. */
  readonly #own = new Set<ByteString>();

  constructor(form: WhiteoutForm, nodes: NodeMaker) {
    this.#form = form;
    this.#nodes = nodes;
  }

  /** Carries out a whiteout; false when the name is none. */
  take(name: ByteString): boolean {
    const base = baseOf(name);
    if (!base.startsWith(WHITEOUT_PREFIX)) return false;
    const parent = parentOf(name);
    if (base === OPAQUE_MARKER) {
      if (this.#form === 'overlay') this.#hide(parent);
      else this.#empty(parent);
      return true;
    }
    if (base.startsWith(AUFS_PREFIX)) return true;
    const hidden = base.slice(WHITEOUT_PREFIX.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw new WharfError('data-loss', `Cannot unpack ${JSON.stringify(name)}: it is no valid whiteout`);
    }
    const victim = parent === '' ? hidden : `${parent}/${hidden}`;
    if (this.#form === 'overlay') this.#mark(victim);
    else if (!this.#own.has(victim)) this.#nodes.remove(victim);
    else this.#empty(victim);
    return true;
  }

  /** Notes that the layer brought `name` itself. */
  unpacked(name: ByteString): void {
    if (this.#form === 'remove') this.#own.add(name);
  }

  /** A 0/0 character device. Where the layer has something of its own, that hides already; a directory must say so. */
  #mark(victim: ByteString): void {
    try {
      mknod(this.#nodes.path(victim), S.IFCHR, 0, 0);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) throw needsParent(victim);
      if (!hasErrno(error, 'EEXIST')) throw error;
      if (lstatSync(this.#nodes.path(victim)).isDirectory()) this.#nodes.setOpaque(victim);
    }
  }

  #hide(directory: ByteString): void {
    // Overlayfs always stacks the roots of its layers, whatever their attributes say.
    if (directory === '') throw needsParent(directory);
    try {
      this.#nodes.setOpaque(directory);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) throw needsParent(directory);
      throw error;
    }
  }

  /** Removes from a directory what the layers below left there, and keeps what this layer brought. */
  #empty(directory: ByteString): void {
    let children: string[];
    try {
      const path = this.#nodes.path(directory);
      if (!lstatSync(path).isDirectory()) return;
      children = readdirSync(path, { encoding: 'latin1' });
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return;
      throw error;
    }
    for (const child of children) {
      const name = directory === '' ? child : `${directory}/${child}`;
      if (this.#own.has(name)) this.#empty(name);
      else this.#nodes.remove(name);
    }
  }
}
