import { messageOf } from '@wharf/kit';
import { atMost, defineCommand } from '../cli/command.ts';
import { cgroupChecks } from '../doctor/cgroups.ts';
import type { Finding } from '../doctor/finding.ts';
import { hostChecks } from '../doctor/host.ts';
import { kernelChecks } from '../doctor/kernel.ts';
import { toolChecks } from '../doctor/tools.ts';

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
const DEFAULT_DATA_ROOT = '/var/lib/wharf';

/** `wharf doctor`: looks at the machine and says what keeps containers from running. Status 1 when something does. */
export const doctor = defineCommand({
  usage: '[DATA_ROOT]',
  flags: {},
  args: atMost(1),
  json: true,
  complete: ['directory'],
  examples: ['wharf doctor', 'wharf doctor /srv/wharf   # a data root elsewhere'],
  run: ({ json, args: [dataRoot = DEFAULT_DATA_ROOT] }) => look(dataRoot, json),
});

async function look(dataRoot: string, json: boolean): Promise<number> {
  const findings = await examine(dataRoot);
  const failed = findings.filter(({ status }) => status === 'fail').length;
  if (json) {
    console.log(JSON.stringify({ healthy: failed === 0, findings }, null, 2));
    return failed === 0 ? 0 : 1;
  }
  for (const { status, message, fix } of findings) {
    console.log(`${MARKS[status]}  ${message}${fix === undefined ? '' : `\n      mend it: ${fix}`}`);
  }
  const warnings = findings.filter(({ status }) => status === 'warn').length;
  console.log(
    failed === 0
      ? `\nContainers can run here (${warnings} ${warnings === 1 ? 'warning' : 'warnings'}).`
      : `\n${failed} of ${findings.length} checks failed: containers cannot run here.`,
  );
  return failed === 0 ? 0 : 1;
}

/** All findings, in the order of the checks. A check that breaks is itself a finding. */
async function examine(dataRoot: string): Promise<readonly Finding[]> {
  const checks = [...kernelChecks, ...cgroupChecks, ...toolChecks, ...hostChecks(dataRoot)];
  return Promise.all(
    checks.map(async (check): Promise<Finding> => {
      try {
        return await check();
      } catch (error) {
        return {
          id: `check.${check.name}`,
          status: 'warn',
          message: `the check "${check.name}" broke: ${messageOf(error)}`,
        };
      }
    }),
  );
}
