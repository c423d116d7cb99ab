import { rmSync } from 'node:fs';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import type { Question } from './attributes.ts';
import { updateIndex, writeDurably } from './layout-index.ts';
import type { Solved } from './solve.ts';

/** What is known of a build that succeeded, key by key, as `--metadata-file` has it: values that hold JSON are JSON. */
export function metadataOf({ answer, ref }: Solved): Readonly<Record<string, unknown>> {
  const metadata: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(answer)) metadata[key] = decoded(value);
  metadata['buildx.build.ref'] = `default/default/${ref}`;
  return metadata;
}

/**
 * The id of the image, empty where none was made: that of its manifest or of its configuration, by the daemon's kind of image store
 * (buildx, "prefer-image-digest").
 */
export async function imageIdOf(daemon: DockerClient, { answer }: Solved): Promise<string> {
  const manifest = answer['containerimage.digest'];
  const config = answer['containerimage.config.digest'];
  if (manifest === undefined) return config ?? '';
  try {
    await daemon.text('GET', `/images/${manifest}/json`);
    return manifest;
  } catch (error) {
    if (isStatus(error, 404)) return config ?? manifest;
    throw error;
  }
}

/** Base64 of an object or a list of objects is what it says; everything else stays as it is. */
function decoded(value: string): unknown {
  const text = Buffer.from(value, 'base64').toString('utf8');
  if (!/^\s*[[{]/.test(text) || Buffer.from(text).toString('base64').replace(/=+$/, '') !== value.replace(/=+$/, ''))
    return value;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return value;
  }
}

/** A file of an earlier build must not be taken for this one's. */
export function forgetFile(path: string | undefined): void {
  if (path !== undefined) rmSync(path, { force: true });
}

export function writeMetadata(path: string, metadata: object): void {
  writeDurably(path, JSON.stringify(metadata, null, 2));
}

/** Names in image layouts what the daemon has put there. */
export function updateLayouts(
  updates: readonly { readonly directory: string; readonly tag: string; readonly answer: string }[],
  { answer }: Solved,
): void {
  for (const { directory, tag, answer: key } of updates) {
    const value = answer[key];
    if (value === undefined || value === '') continue;
    const text = value.startsWith('{') ? value : Buffer.from(value, 'base64').toString('utf8');
    updateIndex(directory, tag, JSON.parse(text) as Parameters<typeof updateIndex>[2]);
  }
}

/** Prints what came of a question; returns the exit status: 1 where a check found something (BuildKit, subrequests). */
export function printAnswer(question: Question, { metadata }: Solved, write: (text: string) => void): number {
  const text = (key: string): string | undefined => {
    const bytes = metadata[key];
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  };
  const json = text('result.json') ?? '{}';
  if (question.format === 'json') write(`${json}\n`);
  else if (question.name === 'lint') printChecks(JSON.parse(json) as LintResult, text('result.txt') ?? '', write);
  else write(text('result.txt') ?? '');
  const status = Number(text('result.statuscode') ?? '0');
  return question.ignoreStatus || Number.isNaN(status) ? 0 : status;
}

interface LintResult {
  readonly warnings?: readonly object[] | null;
  readonly buildError?: { readonly message?: string } | null;
}

function printChecks({ warnings, buildError }: LintResult, text: string, write: (text: string) => void): void {
  const count = warnings?.length ?? 0;
  if (count > 0) write(`Check complete, ${count === 1 ? '1 warning has' : `${count} warnings have`} been found!\n`);
  write(text);
  if (count === 0 && !buildError) write('Check complete, no warnings found.\n');
}
