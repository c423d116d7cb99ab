import { WharfError } from '@wharf/kit/errors';

const OCI = 'oci://';

/** Fetches a compose file that is in a registry or a Git repository; returns its path here. */
export async function fetchRemote(reference: string, signal: AbortSignal): Promise<string> {
  if (reference.startsWith(OCI)) {
    refuseDisabled('COMPOSE_EXPERIMENTAL_OCI_REMOTE', 'OCI');
    const { fetchApplication } = await import('./fetch-application.ts');
    return fetchApplication(reference.slice(OCI.length), signal);
  }
  refuseDisabled('COMPOSE_EXPERIMENTAL_GIT_REMOTE', 'git');
  const { fetchGit } = await import('./git-source.ts');
  return fetchGit(reference, signal);
}

function refuseDisabled(variable: string, what: string): void {
  if (/^(?:0|f|false)$/i.test(process.env[variable] ?? '')) {
    throw new WharfError('permission-denied', `${what} remote resource is disabled by "${variable}"`);
  }
}
