/** Starting processes: `spawnProcess` for those that run beside us, `runTool` for those we wait for. */
export {
  type Child,
  type ExitStatus,
  emptyInput,
  pipe,
  type SpawnOptions,
  setNonblocking,
  spawnAside,
  spawnProcess,
} from './posix-spawn.ts';
export { runTool, type ToolOptions, type ToolResult } from './run-tool.ts';
