import * as nexus from 'nexus-rpc';
import * as workflow from '@temporalio/workflow';
import * as common from '@temporalio/common';
import * as encoding from '@temporalio/common/lib/encoding';
import * as errors from '@temporalio/common/lib/errors';
import * as failure from '@temporalio/common/lib/failure';
import * as interfaces from '@temporalio/common/lib/interfaces';
import * as searchAttributes from '@temporalio/common/lib/search-attributes';
import * as time from '@temporalio/common/lib/time';
import * as typeHelpers from '@temporalio/common/lib/type-helpers';
import * as workflowOptions from '@temporalio/common/lib/workflow-options';
import * as payloadConverter from '@temporalio/common/lib/converter/payload-converter';
import { getActivator } from '@temporalio/workflow/lib/global-attributes';
import { nodeModules } from './web';

// The package's, which notes that code has the object: see freshInfo in entry.ts.
function workflowInfo(): workflow.WorkflowInfo {
  const info = workflow.workflowInfo();
  (getActivator() as any).shownInfo = info;
  return info;
}

// What workflow code may import: copies, because exports are getters, each a function that would have to be frozen. The deep
// ones are those that workflows of the SDK's own repository use.
export const modules: Record<string, unknown> = {
  '@temporalio/workflow': { ...workflow, workflowInfo },
  '@temporalio/common': { ...common },
  'nexus-rpc': { ...nexus },
  '@temporalio/common/lib/encoding': { ...encoding },
  '@temporalio/common/lib/errors': { ...errors },
  '@temporalio/common/lib/failure': { ...failure },
  '@temporalio/common/lib/interfaces': { ...interfaces },
  '@temporalio/common/lib/search-attributes': { ...searchAttributes },
  '@temporalio/common/lib/time': { ...time },
  '@temporalio/common/lib/type-helpers': { ...typeHelpers },
  '@temporalio/common/lib/workflow-options': { ...workflowOptions },
  '@temporalio/common/lib/converter/payload-converter': { ...payloadConverter },
};

/** The require function of workflow modules. */
export function resolve(name: string): unknown {
  const node = nodeModules[String(name).replace(/^node:/, '')];
  if (node) return node();
  const found = modules[String(name).replace(/\.js$/, '')];
  if (!found) throw new TypeError(`Can't import '${name}'; workflow code may import ${Object.keys(modules).join(', ')}`);
  return found;
}
