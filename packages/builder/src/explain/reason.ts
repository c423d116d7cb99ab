import { isDeepStrictEqual } from 'node:util';
import type { KeyParts } from '../solver/solver.ts';
import type { LineRecord } from './line-history.ts';

/** What is known of a step, to say why it ran or did not. */
export interface Explained {
  readonly line: LineRecord;
  /** The same line as it was built before. */
  readonly before: LineRecord | undefined;
  readonly found: 'kept' | 'absent' | 'not looked for';
  readonly isBaseImage: boolean;
  /** Names of build arguments; other variables are the Dockerfile's. */
  readonly buildArguments: ReadonlySet<string>;
  /** Files that changed, for the source of an action; `undefined` where that is not known. */
  readonly changedFiles: (action: number) => readonly string[] | undefined;
}

interface RunDetails {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly network: string;
  readonly platform: object;
  readonly mounts: readonly MountDetails[];
}

interface MountDetails {
  readonly target: string;
  readonly content?: string;
}

interface ActionDetails {
  readonly kind: string;
  readonly content?: string;
}

const NAMED_FILES = 3;

/** The line of an earlier build that a line is to be compared with: of the same words, or else of the same place and kind. */
export function nearestLine(line: LineRecord, before: readonly LineRecord[]): LineRecord | undefined {
  const inStage = before.filter(({ stage }) => stage === line.stage);
  const distance = ({ index }: LineRecord): number => Math.abs(index - line.index);
  const same = inStage
    .filter(({ text }) => text === line.text)
    .toSorted((left, right) => distance(left) - distance(right));
  return same[0] ?? inStage.find(({ index, parts }) => index === line.index && parts[0] === line.parts[0]);
}

/** Why a step came from the cache, or not, in one line. */
export function reasonOf(explained: Explained): string {
  const { line, before, found } = explained;
  if (found === 'kept')
    return line.parts[0] === 'run' ? 'cached: same command on the same files' : 'cached: same files';
  if (found === 'not looked for') return 'ran: the cache is switched off for it (--no-cache)';
  if (before === undefined) return 'ran: never built here';
  const reasons = [...changes(explained, before)];
  if (reasons.length === 0) return 'ran: nothing changed, but its result is not in the cache any more';
  return `ran: ${reasons.join('; ')}`;
}

function* changes(explained: Explained, before: LineRecord): Generator<string> {
  const { line, isBaseImage } = explained;
  if (line.parts[0] === 'run') yield* runChanges(explained, detailsOf(before.parts), detailsOf(line.parts));
  else
    yield* fileChanges(
      explained,
      before.parts[2] as readonly ActionDetails[],
      line.parts[2] as readonly ActionDetails[],
    );
  if (before.parts[1] === line.parts[1]) return;
  if (isBaseImage)
    yield before.base === line.base
      ? `base image changed (${line.base})`
      : `base image changed: ${line.base}, before ${before.base}`;
  else yield `earlier step changed (${line.base})`;
}

function* runChanges({ line, buildArguments }: Explained, before: RunDetails, now: RunDetails): Generator<string> {
  if (!isDeepStrictEqual(before.args, now.args)) yield line.text === '' ? 'command changed' : 'command changed';
  for (const name of changedNames(before.env, now.env)) {
    yield buildArguments.has(name) ? `build arg ${name} changed` : `variable ${name} changed`;
  }
  if (before.cwd !== now.cwd) yield `working directory changed, before ${before.cwd || '/'}`;
  if (before.user !== now.user) yield `user changed, before ${before.user || 'root'}`;
  if (before.network !== now.network) yield 'network changed';
  if (!isDeepStrictEqual(before.platform, now.platform)) yield 'platform changed';
  for (const [index, mount] of now.mounts.entries()) {
    const { content: contentBefore, ...rest } = before.mounts[index] ?? { target: '' };
    const { content, ...restNow } = mount;
    if (!isDeepStrictEqual(rest, restNow)) yield `mount at ${mount.target} changed`;
    else if (content !== contentBefore) yield `what is mounted at ${mount.target} changed`;
  }
  if (before.mounts.length > now.mounts.length) yield 'a mount is gone';
}

function* fileChanges(
  { line, changedFiles }: Explained,
  before: readonly ActionDetails[],
  now: readonly ActionDetails[],
): Generator<string> {
  const words = (actions: readonly ActionDetails[]) => actions.map(({ content: _content, ...rest }) => rest);
  if (!isDeepStrictEqual(words(before), words(now))) yield 'instruction changed';
  for (const [index, action] of now.entries()) {
    if (action.content === before[index]?.content) continue;
    const files = changedFiles(index);
    if (files !== undefined && files.length > 0) yield filesChanged(files);
    else yield /--from[= ]/.test(line.text) ? 'what it copies from changed' : 'files changed';
  }
}

function filesChanged(files: readonly string[]): string {
  const named = files.slice(0, NAMED_FILES).join(', ');
  const more = files.length > NAMED_FILES ? ', …' : '';
  return `${files.length} ${files.length === 1 ? 'file' : 'files'} changed (${named}${more})`;
}

function changedNames(before: readonly string[], now: readonly string[]): readonly string[] {
  const [left, right] = [before, now].map(
    (env) => new Map(env.map((each) => [each.slice(0, each.indexOf('=')), each] as const)),
  );
  const names = new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])]);
  return [...names].filter((name) => left?.get(name) !== right?.get(name));
}

function detailsOf(parts: KeyParts): RunDetails {
  return parts[2] as RunDetails;
}
