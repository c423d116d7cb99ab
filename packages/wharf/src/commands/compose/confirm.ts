import { readLine } from '../../cli/confirm.ts';
import type { ComposeSession } from './session.ts';
import { isTrue } from './settings.ts';

/** Asks a question; no answer is no. Where standard input is no terminal a line of it is the answer. */
export async function confirm({ context, signal }: ComposeSession, question: string): Promise<boolean> {
  const isTerminal = process.stdin.isTTY === true;
  context.out.write(isTerminal ? `? ${question} (y/N) ` : question);
  const answer = await readLine(signal);
  return isTrue(answer) || (isTerminal && /^yes$/i.test(answer.trim()));
}

/** Asks a question that no answer on a terminal affirms; elsewhere it has to be affirmed. */
export async function askYes({ context, signal }: ComposeSession, question: string): Promise<boolean> {
  context.out.write(question);
  const answer = (await readLine(signal)).trim();
  return (answer === '' && process.stdin.isTTY === true) || isTrue(answer) || /^yes$/i.test(answer);
}
