import fc from 'fast-check';

/**
 * Preloaded into every test process: properties look at the same examples in each run, so that a change is what makes a run fail.
 * `WHARF_PROPERTY_SEED=random` looks at others, a number at those of a run that failed.
 */
const DEFAULT_SEED = 20_261_121;
const wanted = process.env['WHARF_PROPERTY_SEED'];
if (wanted !== 'random') fc.configureGlobal({ seed: wanted === undefined ? DEFAULT_SEED : Number(wanted) });
