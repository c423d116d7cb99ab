/**
 * Modules that an idle daemon does without: each holds some 50 kB as long as the process lives, used or not. What few requests need is
 * imported by the first of them.
 */
const known = new Set<() => Promise<unknown>>();

/**
 * Notes a module to be imported when first needed: `const pull = lazily(() => import(…))`, then `(await pull()).pullImages(…)`.
 * Calls after the first cost a promise. Keep it at a module's top level, so that `loadLazyModules()` finds it.
 */
export function lazily<T>(load: () => Promise<T>): () => Promise<T> {
  known.add(load);
  return load;
}

/**
 * Imports all that was noted so far, and what that notes in its turn: for a start that fills the compile cache. A module that cannot be
 * loaded is passed over here; its user will hear of it.
 */
export async function loadLazyModules(): Promise<void> {
  const loaded = new Set<() => Promise<unknown>>();
  while (loaded.size < known.size) {
    for (const load of known) {
      if (loaded.has(load)) continue;
      loaded.add(load);
      await load().catch(() => undefined);
    }
  }
}

/** The same for each of a service's methods; the service is opened by the first call, once, and again after a failure to open. */
export function lazyService<T extends AsyncMethods<T>>(open: () => Promise<T>): T {
  let opened: Promise<T> | undefined;
  const service = (): Promise<T> => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  const methods = new Map<PropertyKey, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy({} as T, {
    get(_, name) {
      // Awaiting the service itself must not open it.
      if (name === 'then') return undefined;
      let method = methods.get(name);
      if (method === undefined) {
        method = async (...args) => {
          const target = await service();
          return Reflect.apply(target[name as keyof T], target, args);
        };
        methods.set(name, method);
      }
      return method;
    },
  });
}

type AsyncMethods<T> = { readonly [K in keyof T]: (...args: never[]) => Promise<unknown> };
