import { hasErrno, messageOf, WharfError } from '@wharf/kit/errors';

/** How long a credential helper may take. It may ask a person for a password. */
const HELPER_TIMEOUT_MS = 120_000;
/** What a helper says of a registry it does not know. */
const NOT_FOUND = /credentials not found/i;

export interface HelperAnswer {
  readonly Username?: string;
  readonly Secret?: string;
}

/** A program `docker-credential-NAME` (docker-credential-helpers): it keeps logins in a place of its own. */
export class CredentialHelper {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(name: string, env: NodeJS.ProcessEnv = process.env) {
    this.#program = `docker-credential-${name}`;
    this.#env = env;
  }

  /** `undefined` when it knows nobody. Throws `unavailable` with what it complains of. */
  async get(server: string): Promise<HelperAnswer | undefined> {
    const { code, text } = await this.#run('get', server);
    if (code === 0) return JSON.parse(text) as HelperAnswer;
    if (NOT_FOUND.test(text)) return undefined;
    throw this.#failure(`get credentials for "${server}"`, text);
  }

  async store(server: string, username: string, secret: string): Promise<void> {
    const order = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
    const { code, text } = await this.#run('store', order);
    if (code !== 0) throw this.#failure(`store credentials for "${server}"`, text);
  }

  async erase(server: string): Promise<void> {
    const { code, text } = await this.#run('erase', server);
    if (code !== 0) throw this.#failure(`erase credentials for "${server}"`, text);
  }

  #failure(what: string, said: string): WharfError {
    return new WharfError('unavailable', `Cannot ${what}: ${this.#program} failed: ${said.trim()}`);
  }

  #run(verb: string, input: string): Promise<{ readonly code: number; readonly text: string }> {
    const { spawn } = process.getBuiltinModule('node:child_process');
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, [verb], {
        env: this.#env,
        stdio: ['pipe', 'pipe', 'inherit'],
        timeout: HELPER_TIMEOUT_MS,
      });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      child.once('error', (error) => reject(this.#cannotRun(verb, error)));
      child.once('close', (code) => resolve({ code: code ?? 1, text }));
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  }

  #cannotRun(verb: string, error: Error): WharfError {
    const isAbsent = hasErrno(error, 'ENOENT');
    const why = isAbsent ? `there is no ${this.#program}` : messageOf(error);
    return new WharfError('unavailable', `Cannot ${verb} credentials: ${why}`, {
      cause: error,
      ...(isAbsent ? { hint: `Install ${this.#program}, or take it out of the client's config.json.` } : {}),
    });
  }
}

/** The helper docker takes where nothing is configured and nothing is stored: `pass` or the desktop's, where they are installed. */
export function usualHelper(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const name = isInPath('pass', env) ? 'pass' : 'secretservice';
  return isInPath(`docker-credential-${name}`, env) ? name : undefined;
}

function isInPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const { accessSync, constants } = process.getBuiltinModule('node:fs');
  return (env['PATH'] ?? '').split(':').some((directory) => {
    try {
      accessSync(`${directory}/${program}`, constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}
