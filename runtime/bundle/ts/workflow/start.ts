import { SdkComponent } from '@temporalio/common';
import { arrayFromPayloads } from '@temporalio/common/lib/converter/payload-converter';
import { isCancellation } from '@temporalio/workflow/lib/errors';
import { ContinueAsNew } from '@temporalio/workflow/lib/interfaces';
import { Activator } from '@temporalio/workflow/lib/internals';
import { log } from '@temporalio/workflow/lib/logs';
import { host } from './host';

const attributes = { sdkComponent: SdkComponent.worker };

// The package has the workflow's end go through a chain of three promises and eight functions, which an execution that waits
// holds. Without interceptors one function does the same.
(Activator.prototype as any).startWorkflow = function (this: any, { arguments: payloads }: any) {
  const context = this.workflowSerializationContext();
  log.debug('Workflow started', attributes);
  run(this, arrayFromPayloads(this.payloadConverter, payloads, context, this.typeInfo?.inputTypes));
  host.awaited(running);
  running = undefined;
};

let running: unknown; // while startWorkflow runs

/** Runs the workflow's function. What it does at the end comes as many steps after that as with the package's chain. */
async function run(activator: any, args: unknown[]): Promise<void> {
  const { workflow } = activator;
  let result: unknown;
  try {
    running = workflow(...args);
    result = await running;
  } catch (error) {
    await undefined;
    ended(error);
    await undefined;
    activator.handleWorkflowFailure(error);
    return;
  }
  await undefined;
  log.debug('Workflow completed', attributes);
  await undefined;
  activator.completeWorkflow(result);
}

function ended(error: unknown): void {
  const isObject = typeof error === 'object' && error !== null;
  if (isObject && isCancellation(error)) log.debug('Workflow completed as cancelled', attributes);
  else if (isObject && error instanceof ContinueAsNew) log.debug('Workflow continued as new', attributes);
  else log.warn('Workflow failed', { error, ...attributes });
}
