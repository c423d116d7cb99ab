import type { Dockerfile } from '../dockerfile/instructions/types.ts';
import { DockerfileError, type LineRange } from '../dockerfile/location.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { StageNotes } from '../plan/stage-notes.ts';
import type { Finding } from './checks.ts';
import { describeText, lintText, outlineText, targetsText } from './subrequest-text.ts';

/** A question about a Dockerfile instead of a build (BuildKit, `frontend/subrequests`). */
export type Subrequest = 'lint' | 'outline' | 'targets' | 'describe';

/** The answer: metadata by key. Clients draw `result.json`, and print `result.txt` where they do not know the kind. */
export type SubrequestAnswer = Readonly<Record<string, string>>;

const VERSION = '1.0.0';
const REQUESTS: Readonly<Record<string, Subrequest>> = {
  'frontend.lint': 'lint',
  'frontend.outline': 'outline',
  'frontend.targets': 'targets',
  'frontend.subrequests.describe': 'describe',
};

/** The subrequest of an id; undefined when there is none of that name. */
export function subrequestOf(id: string): Subrequest | undefined {
  return Object.hasOwn(REQUESTS, id) ? REQUESTS[id] : undefined;
}

/** What the checks found, and the error that the build would end with. */
export function lintAnswer(
  source: { readonly filename: string; readonly text: string },
  findings: readonly Finding[],
  error: unknown,
): SubrequestAnswer {
  const warnings = findings.map(({ rule, detail, location }) => ({
    ruleName: rule.name,
    description: rule.description,
    ...(rule.url === '' ? {} : { url: rule.url }),
    detail,
    location: place(location),
  }));
  const buildError = error === undefined ? undefined : buildErrorOf(error);
  const sources = [{ filename: source.filename, data: base64(source.text), language: 'Dockerfile' }];
  const failed = warnings.length > 0 || buildError !== undefined;
  return {
    ...answer({ warnings: warnings.length === 0 ? null : warnings, sources, ...(buildError && { buildError }) }),
    'result.txt': lintText(source, findings),
    'result.statuscode': failed ? '1' : '0',
  };
}

function buildErrorOf(error: unknown): { readonly message: string; readonly location: object } {
  const location = error instanceof DockerfileError ? error.location : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { message, location: location === undefined ? {} : place(location) };
}

/** The arguments, secrets and agents that a build of the target takes. */
export function outlineAnswer(plan: BuildPlan, text: string): SubrequestAnswer {
  const { from } = plan.target.stage.parsed;
  // The target's own come first: of two with one name, those are the ones that count.
  const stages = [plan.target, ...plan.stages.filter((stage) => stage !== plan.target).toReversed()];
  const notes = stages.map((stage) => stage.notes);
  const args = merged(notes, (stage) => stage.args).map(([name, note]) => ({
    name,
    ...(note.description === '' ? {} : { description: note.description }),
    ...(note.value === '' ? {} : { value: note.value }),
    location: place(note.location),
  }));
  const requests = (kind: 'secrets' | 'ssh') =>
    merged(notes, (stage) => stage[kind]).map(([name, { required, location }]) => ({
      name,
      ...(required ? { required } : {}),
      location: place(location),
    }));
  const outline = {
    ...(from.name === '' ? {} : { name: from.name }),
    ...(from.description === '' ? {} : { description: from.description }),
    ...filled({ args, secrets: requests('secrets'), ssh: requests('ssh') }),
    sources: [base64(text)],
  };
  return { ...answer(outline), 'result.txt': outlineText(outline) };
}

/** The stages of a Dockerfile. */
export function targetsAnswer({ stages }: Dockerfile, text: string): SubrequestAnswer {
  const targets = stages.map(({ from }, index) => ({
    ...(from.name === '' ? {} : { name: from.name }),
    ...(index === stages.length - 1 ? { default: true } : {}),
    ...(from.description === '' ? {} : { description: from.description }),
    base: from.base,
    ...(from.platform === '' ? {} : { platform: from.platform }),
    location: place(from.location),
  }));
  return { ...answer({ targets, sources: [base64(text)] }), 'result.txt': targetsText(targets) };
}

/** Which subrequests there are. */
export function describeAnswer(): SubrequestAnswer {
  const results = [
    { name: 'result.json', description: '' },
    { name: 'result.txt', description: '' },
  ];
  const request = (name: string, description: string, opts: object | null) => ({
    ...{ name, version: VERSION, type: 'rpc', description, opts, inputs: null, metadata: results, refs: null },
  });
  const target = [{ name: 'target', description: 'Target build stage' }];
  const all = [
    request('frontend.outline', 'List all parameters current build target supports', target),
    request('frontend.targets', 'List all targets current build supports', []),
    request('frontend.subrequests.describe', 'List available subrequest types', null),
  ];
  return { ...answer(all), 'result.txt': describeText(all) };
}

/** Of each name the first; in the order of the file. */
function merged<Note extends { readonly location: LineRange }>(
  stages: readonly StageNotes[],
  pick: (stage: StageNotes) => ReadonlyMap<string, Note>,
): readonly (readonly [string, Note])[] {
  const found = new Map<string, Note>();
  for (const stage of stages) for (const [name, note] of pick(stage)) if (!found.has(name)) found.set(name, note);
  return [...found].toSorted(([, left], [, right]) => left.location.start - right.location.start);
}

function filled(lists: Readonly<Record<string, readonly object[]>>): object {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

function place({ start, end }: LineRange): object {
  return { ranges: [{ start: { line: start }, end: { line: end } }] };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** As Go writes JSON: clients print it as it is. */
function answer(document: unknown): SubrequestAnswer {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const json = JSON.stringify(document, null, 2).replace(/[<>&\u2028\u2029]/g, escaped);
  return { 'result.json': json, version: VERSION };
}
