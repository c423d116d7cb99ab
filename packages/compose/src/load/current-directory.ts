/**
 * The process's directory under the name the shell came by (`PWD`), links not followed, as Go's `os.Getwd` has it: labels and
 * mounts of a project name paths, and both clients have to name the same.
 */
export function currentDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  const fs = process.getBuiltinModule('node:fs');
  const here = process.cwd();
  const named = environment['PWD'];
  if (named === undefined || !named.startsWith('/') || named === here) return here;
  const one = fs.statSync(named, { throwIfNoEntry: false });
  const other = fs.statSync('.');
  return one?.ino === other.ino && one.dev === other.dev ? named : here;
}
