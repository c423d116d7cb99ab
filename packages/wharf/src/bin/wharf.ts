import { basename } from 'node:path';
import { runProgram } from '../cli/run.ts';
import { tree } from '../commands/tree.ts';

/** A link of the name `docker` makes it speak of itself by that name. */
function programName(): string {
  const calledAs = basename(process.env['WHARF_CALLED_AS'] ?? '');
  // It is nobody's business below us: what we start may be a wharf, too.
  delete process.env['WHARF_CALLED_AS'];
  return calledAs === 'docker' ? 'docker' : 'wharf';
}

const program = {
  root: tree,
  name: programName(),
  version: async () => `wharf version ${(await import('../version.ts')).wharfVersion()}`,
};

// No await at the top: the release is a CommonJS bundle, which has none.
void runProgram(program, process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
