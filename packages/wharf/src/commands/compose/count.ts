import { ExitError } from '../../cli/errors.ts';

/** Checks how many arguments came, in the words docker compose has for it. Throws ExitError. */
export function checkArguments(
  args: readonly string[],
  { least = 0, most = Number.POSITIVE_INFINITY }: { readonly least?: number; readonly most?: number },
): void {
  const count = args.length;
  if (count >= least && count <= most) return;
  if (least > 0 && most !== Number.POSITIVE_INFINITY) {
    throw new ExitError(1, `accepts between ${least} and ${most} arg(s), received ${count}`);
  }
  if (count < least) throw new ExitError(1, `requires at least ${least} arg(s), only received ${count}`);
  throw new ExitError(1, `accepts at most ${most} arg(s), received ${count}`);
}
