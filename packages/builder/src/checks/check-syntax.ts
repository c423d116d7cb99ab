import type { InstructionNode } from '../dockerfile/ast.ts';
import type { Stage } from '../dockerfile/instructions/types.ts';
import type { Checks } from './checks.ts';

const RESERVED: ReadonlySet<string> = new Set(['context', 'scratch']);

/** What can be told of one instruction by its words alone. */
export function checkInstruction(node: InstructionNode, checks: Checks): void {
  const own = checks.for(node.comments);
  const { keyword, args, location } = node;
  switch (keyword.toLowerCase()) {
    case 'maintainer':
      own.report('MaintainerDeprecated', location, 'Maintainer instruction is deprecated in favor of using label');
      return;
    case 'from': {
      const [, as = '', name = ''] = args.length === 3 ? args : [];
      if (name !== name.toLowerCase()) {
        own.report('StageNameCasing', location, `Stage name '${name}' should be lowercase`);
      }
      if (!sameCase(keyword, as)) {
        own.report('FromAsCasing', location, `'${as}' and '${keyword}' keywords' casing do not match`);
      }
      if (name !== '') checkDescription(node, [name.toLowerCase()], own);
      return;
    }
    case 'arg':
      checkDescription(
        node,
        args.map((arg) => arg.split('=', 1)[0] ?? ''),
        own,
      );
      return;
    default:
  }
}

/** What can be told once all stages are read. */
export function checkStages(stages: readonly Stage[], checks: Checks): void {
  checkStageNames(stages, checks);
  checkCasing(stages, checks);
}

function checkDescription(node: InstructionNode, names: readonly string[], checks: Checks): void {
  const [name = ''] = names;
  const remark = node.comments.at(-1);
  if (remark === undefined || names.includes(remark.split(' ', 1)[0] ?? '')) return;
  const subject = names.length > 1 ? '<arg_key>' : name;
  checks.report(
    'InvalidDefinitionDescription',
    node.location,
    `Comment for ${node.keyword.toUpperCase()} should follow the format: \`# ${subject} <description>\``,
  );
}

function checkStageNames(stages: readonly Stage[], checks: Checks): void {
  const seen = new Set<string>();
  for (const { from } of stages) {
    if (from.name === '') continue;
    const quoted = JSON.stringify(from.name);
    if (RESERVED.has(from.name)) {
      const text = `Stage name should not use the same name as reserved stage ${quoted}`;
      checks.report('ReservedStageName', from.location, text);
    }
    if (seen.has(from.name)) {
      const text = `Duplicate stage name ${quoted}, stage names should be unique`;
      checks.report('DuplicateStageName', from.location, text);
    }
    seen.add(from.name);
  }
}

/** Most keywords of the file decide; a tie goes to capitals. */
function checkCasing(stages: readonly Stage[], checks: Checks): void {
  const instructions = stages.flatMap(({ from, instructions: own }) => [from, ...own]);
  let lower = 0;
  let upper = 0;
  for (const { keyword } of instructions) {
    if (keyword === keyword.toLowerCase()) lower += 1;
    else if (keyword === keyword.toUpperCase()) upper += 1;
  }
  const [wanted, word] = lower > upper ? ['lower', 'lowercase'] : ['upper', 'uppercase'];
  for (const { keyword, location } of instructions) {
    if (keyword === (wanted === 'lower' ? keyword.toLowerCase() : keyword.toUpperCase())) continue;
    const text = `Command '${keyword}' should match the case of the command majority (${word})`;
    checks.report('ConsistentInstructionCasing', location, text);
  }
}

/** A FROM in mixed case has a finding of its own already. */
function sameCase(from: string, as: string): boolean {
  if (from === from.toLowerCase()) return as === as.toLowerCase();
  return from === from.toUpperCase() ? as === as.toUpperCase() : true;
}
