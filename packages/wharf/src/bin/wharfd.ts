import { helpText, parseFlags } from '../config/flags.ts';
import { loadConfig } from '../config/merge.ts';
import { startLean } from '../lean-start.ts';
import { startFailure } from '../start-failure.ts';
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
  await startLean();
  await runDaemon({ config, reload: () => loadConfig(flags.values) });
}

try {
  await main();
} catch (error) {
  const failure = startFailure(error);
  if (failure === undefined) throw error;
  console.error(`wharfd: ${failure.message}${failure.hint === undefined ? '' : `\n${failure.hint}`}`);
  process.exitCode = 1;
}
