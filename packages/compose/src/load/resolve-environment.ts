import { type Dict, dictAt, isDict } from './values.ts';

type Environment = Readonly<Record<string, string>>;

/** Where the value of a secret that comes from a variable is kept until the model takes it. */
export const SECRET_VALUE = 'x-#value';

/** Takes values that a document leaves to the environment: bare names of `environment` lists, secrets and configs. */
export function resolveFromEnvironment(document: Dict, environment: Environment): void {
  forEachDict(dictAt(document, 'services'), (service) => {
    const list = service['environment'];
    if (!Array.isArray(list)) return;
    service['environment'] = list
      .filter((item) => typeof item === 'string')
      .map((item) => (Object.hasOwn(environment, item) ? `${item}=${environment[item]}` : item));
  });
  forEachDict(dictAt(document, 'secrets'), (secret) => takeValue(secret, SECRET_VALUE, environment));
  forEachDict(dictAt(document, 'configs'), (config) => takeValue(config, 'content', environment));
}

function takeValue(object: Dict, key: string, environment: Environment): void {
  const name = object['environment'];
  if (typeof name === 'string' && Object.hasOwn(environment, name)) object[key] = environment[name] ?? '';
}

function forEachDict(parent: Dict | undefined, visit: (object: Dict) => void): void {
  for (const value of Object.values(parent ?? {})) if (isDict(value)) visit(value);
}
