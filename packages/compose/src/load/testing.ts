import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WharfError } from '@wharf/kit/errors';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { loadProject } from './load-project.ts';
import type { LoadOptions } from './options.ts';

/** A directory named `demo` with these files, gone when the test is over. */
export class Folder implements Disposable {
  readonly path: string;
  readonly #root: string;

  constructor(files: Readonly<Record<string, string>>) {
    this.#root = mkdtempSync(join(tmpdir(), 'wharf-compose-'));
    this.path = join(this.#root, 'demo');
    mkdirSync(this.path);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** Loads from here; a text where the folder's path stands reads `DIR`. */
  async load(options: Partial<LoadOptions> = {}): Promise<Project> {
    const project = await loadProject({ environment: {}, cwd: this.path, ...options });
    return JSON.parse(this.#hide(JSON.stringify(project))) as Project;
  }

  /** What loading is refused with: message and hint, the folder's path as `DIR`. */
  async refusal(options: Partial<LoadOptions> = {}): Promise<{ message: string; hint: string }> {
    try {
      await this.load(options);
    } catch (error) {
      const hint = error instanceof WharfError ? (error.hint ?? '') : '';
      return { message: this.#hide(error instanceof Error ? error.message : String(error)), hint: this.#hide(hint) };
    }
    throw new Error('was not refused');
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #hide(text: string): string {
    return text.replaceAll(this.path, 'DIR');
  }
}

/** The service of that name; throws where there is none. */
export function serviceOf(project: Project, name: string): Service {
  const service = project.services[name];
  if (service === undefined) throw new Error(`no service ${name}`);
  return service;
}
