import { WharfError } from '@wharf/kit/errors';
import type { Project } from '../model/project.ts';
import { alignReplicas, buildProject } from './build-project.ts';
import { checkConsistency } from './consistency.ts';
import { unsetWarning } from './include.ts';
import { type LoadedModel, loadSettledModel } from './load-settled-model.ts';
import { locateProblem } from './locate.ts';
import type { LoadOptions } from './options.ts';
import { resolveServiceEnvironments, resolveServiceLabels } from './resolve-services.ts';
import { withoutUnusedResources, withProfiles, withSelectedServices, withServicesEnabled } from './select.ts';

export type { LoadOptions } from './options.ts';

/**
 * Loads Compose files into a project: the one way in.
 *
 * Throws `invalid-argument` for what is wrong in a file (compose's words as the message; `file:line:column` and a
 * suggestion as the hint), `not-found` for a file or a service that is not there.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const model = await loadSettledModel(options);
  try {
    return settleProject(model, options);
  } catch (error) {
    throw locateProblem(error, model.context.files, options.cwd);
  }
}

function settleProject(model: LoadedModel, options: LoadOptions): Project {
  const unset = unsetWarning(model.context);
  const resolve = options.resolveEnvironment ?? 'selected';
  let project = withProfiles(buildProject(model.document, model), model.profiles);
  if (options.checkConsistency !== false) {
    checkConsistency(project);
    project = alignReplicas(project);
  }
  if (resolve === 'all') project = resolveServiceEnvironments(project, unset);
  project = resolveServiceLabels(project, { discard: options.discardLabelFiles === true, unset });
  if (project.name === '')
    throw new WharfError('invalid-argument', "project name can't be empty. Use `--project-name` to set a valid name");
  project = withServicesEnabled(project, options.services ?? []);
  project = withSelectedServices(project, options.services ?? [], options.select);
  if (options.allResources !== true) project = withoutUnusedResources(project);
  return resolve === false ? project : resolveServiceEnvironments(project, unset);
}
