import { configVariables } from '@wharf/compose/config/config';
import { isRemote } from '@wharf/compose/load/context';
import type { Project } from '@wharf/compose/model/project';
import { ExitError } from '../../../cli/errors.ts';
import { alignTabs } from '../../../term/tab-columns.ts';
import { goQuote } from '../containers.ts';
import type { ComposeSession } from '../session.ts';

/**
 * Of files that somebody else wrote: says where they are kept, and asks before this machine's variables go into them. Throws ExitError for
 * a no; `isSure` is `-y`.
 */
export async function announceRemote(session: ComposeSession, project: Project, isSure: boolean): Promise<void> {
  const [first = ''] = session.values.file;
  if (!isRemote(first)) return;
  const { progress } = session.appearance;
  if (progress !== 'quiet' && progress !== 'json') {
    session.context.out.line(`Your compose stack ${goQuote(first)} is stored in ${goQuote(project.workingDir)}`);
  }
  if (isSure) return;
  const variables = await configVariables(session.loadOptions());
  if (variables.length === 0) return;
  const rows = variables.map(({ name, required, defaultValue }) => {
    const own = process.env[name];
    const [value, source] =
      own !== undefined
        ? [own, 'environment']
        : defaultValue !== ''
          ? [defaultValue, 'compose file']
          : ['<unset>', 'none'];
    return [name, value, source, required ? 'yes' : 'no', defaultValue];
  });
  const table = [['VARIABLE', 'VALUE', 'SOURCE', 'REQUIRED', 'DEFAULT'], ...rows];
  const text = alignTabs(table.map((cells) => `${cells.join('\t')}\n`).join(''), { leastWidth: 0, padding: 3 });
  session.context.out.write(`\nFound the following variables in configuration:\n${text}`);
  const { askYes } = await import('../confirm.ts');
  if (!(await askYes(session, '\nDo you want to proceed with these variables? [Y/n]: '))) {
    throw new ExitError(1, 'operation cancelled by user');
  }
}
