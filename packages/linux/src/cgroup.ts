/** Control groups: the layout of the host, the counters of a container, killing and removing. */
export {
  type HybridPreparation,
  killCgroup,
  liftLimits,
  listCgroupProcesses,
  prepareHybridForCrun,
  removeCgroup,
} from './cgroups/control.ts';
export { expectCgroupMove } from './cgroups/expect-move.ts';
export { type CgroupLayout, detectLayout } from './cgroups/layout.ts';
export { rememberLimits } from './cgroups/limit-files.ts';
export { memoryEventsFile, type OomState, readOomState } from './cgroups/oom.ts';
export type { Counter, DeviceCounter } from './cgroups/parse.ts';
export { CgroupReader, type CgroupStats } from './cgroups/reader.ts';
