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
import { ruleThere } from './failure_key';
import { host } from './host';
import { unfold } from './info';
import { nodeModules } from './web';

// The package's, which notes that code has the object: see freshInfo in entry.ts.
function workflowInfo(): workflow.WorkflowInfo {
  const info = unfold(workflow.workflowInfo());
  const activator: any = getActivator();
  activator.info = activator.shownInfo = info;
  return info;
}

/** A module's exports as values: as getters each would be a function that has to be frozen. */
function copy(exports: object): object {
  const values = { ...exports };
  if ('__esModule' in exports) Object.defineProperty(values, '__esModule', { value: true });
  return values;
}

// What workflow code may import. The deep ones are those that workflows of the SDK's own repository use.
export const modules: Record<string, unknown> = {
  '@temporalio/workflow': { ...workflow, workflowInfo },
  '@temporalio/common': copy(common),
  'nexus-rpc': copy(nexus),
  '@temporalio/common/lib/encoding': copy(encoding),
  '@temporalio/common/lib/errors': copy(errors),
  '@temporalio/common/lib/failure': copy(failure),
  '@temporalio/common/lib/interfaces': copy(interfaces),
  '@temporalio/common/lib/search-attributes': copy(searchAttributes),
  '@temporalio/common/lib/time': copy(time),
  '@temporalio/common/lib/type-helpers': copy(typeHelpers),
  '@temporalio/common/lib/workflow-options': copy(workflowOptions),
  '@temporalio/common/lib/converter/payload-converter': copy(payloadConverter),
};

// esbuild gives what is declared in several modules, or refers to itself, a name of its own: executions that began since ruleThere
// see the name that upstream's has.
for (const name of ['@temporalio/common', '@temporalio/workflow']) {
  for (const [exported, value] of Object.entries(modules[name] as object)) {
    if (typeof value !== 'function') continue;
    const { name: made } = value;
    if (made !== `_${exported}` && made !== `${exported}2`) continue;
    Object.defineProperty(value, 'name', { get: () => (host.keeps(ruleThere) ? exported : made), configurable: true });
  }
}

/** The require function of workflow modules. */
export function resolve(name: string): unknown {
  const node = nodeModules[String(name).replace(/^node:/, '')];
  if (node) return node();
  const found = modules[String(name).replace(/\.js$/, '')];
  if (!found) throw new TypeError(`Can't import '${name}'; workflow code may import ${Object.keys(modules).join(', ')}`);
  return found;
}
