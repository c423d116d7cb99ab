import { writeFileSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

type TestFailure = Error & { readonly failureType?: string; readonly cause?: unknown };

/**
 * A node:test reporter: failures in full, slow tests by name, and the counts as JSON into the file that
 * WHARF_TEST_SUMMARY names, for scripts/test.ts to add up.
 */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of source) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') yield event.data.message;
    // What goes wrong after a test has ended is told here and by the exit status only.
    if (event.type === 'test:diagnostic' && event.data.message.startsWith('Error:')) yield `${event.data.message}\n`;
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    // A suite, or a file that runs as a test, is the sum of what is in it.
    if (data.details.type === 'suite') continue;
    if (event.type === 'test:pass') {
      if (data.skip !== undefined && data.skip !== false) {
        skipped += 1;
        yield `  skipped: ${data.name}${typeof data.skip === 'string' && data.skip !== '' ? ` (${data.skip})` : ''}\n`;
      } else passed += 1;
      if (process.env['WHARF_TEST_VERBOSE'] !== undefined)
        yield `  ok ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`;
      continue;
    }
    const error: TestFailure = event.data.details.error;
    if (error.failureType === 'subtestsFailed') continue;
    failed += 1;
    yield `\n✖ ${data.name}\n  ${data.file ?? ''}:${data.line ?? 0}\n${indent(explain(error))}\n\n`;
  }
  const path = process.env['WHARF_TEST_SUMMARY'];
  if (path !== undefined) writeFileSync(path, JSON.stringify({ passed, failed, skipped }));
  yield `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}

function explain(error: TestFailure): string {
  const { cause } = error;
  if (cause instanceof Error)
    return `${cause.stack ?? cause.message}${cause.cause === undefined ? '' : `\ncaused by ${inspect(cause.cause)}`}`;
  return cause === undefined ? error.message : inspect(cause);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
