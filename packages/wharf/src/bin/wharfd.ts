import { WharfError } from '@wharf/kit';
import { helpText, parseFlags } from '../config/flags.ts';
import { loadConfig } from '../config/merge.ts';
import { startLean } from '../lean-start.ts';
import { wharfVersion } from '../version.ts';

/** Reads the command line, and starts the daemon only when it makes sense. */
async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) {
    console.log(helpText());
    return;
  }
  if (flags.version) {
    console.log(`wharfd version ${wharfVersion()}`);
    return;
  }
  const config = loadConfig(flags.values);
  if (flags.validate) {
    console.log('configuration OK');
    return;
  }
  const { runDaemon } = await import('../daemon.ts');
  startLean();
  await runDaemon({ config, reload: () => loadConfig(flags.values) });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof WharfError)) throw error;
  console.error(`wharfd: ${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}`);
  process.exitCode = 1;
}
