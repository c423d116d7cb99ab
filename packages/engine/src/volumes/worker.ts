import { closeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '@wharf/kit';
import { endWhenTold } from '@wharf/linux/thread';
import { copyTree, isEmptyDirectory, openDirectory, openInRoot } from './copy-tree.ts';
import { diskUsage } from './disk-usage.ts';
import { mountLocal } from './local-mount.ts';
import type { VolumeReply, VolumeTask, VolumeTaskResult } from './worker-tasks.ts';

function run(task: VolumeTask): VolumeTaskResult {
  switch (task.kind) {
    case 'populate':
      return populate(task) ? 1 : 0;
    case 'usage':
      return diskUsage(task.path);
    case 'mount':
      mountLocal(task);
      return 0;
  }
}

function populate(task: VolumeTask & { readonly kind: 'populate' }): boolean {
  const source = openInRoot(task.rootfs, task.path);
  if (source === undefined) return false;
  try {
    const target = openDirectory(task.target);
    try {
      if (!isEmptyDirectory(target)) return false;
      copyTree(source, target);
      return true;
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

endWhenTold();
parentPort?.on('message', ({ id, task }: { readonly id: number; readonly task: VolumeTask }) => {
  let reply: VolumeReply;
  try {
    reply = { id, result: run(task) };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    reply = { id, error: { message: messageOf(error), code } };
  }
  parentPort?.postMessage(reply);
});
