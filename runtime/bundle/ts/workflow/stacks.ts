import { Activator } from '@temporalio/workflow/lib/internals';
import { host } from './host';

// The stack trace queries tell where an execution waits. Upstream follows every promise with V8's hooks; here each thing that
// can be waited for (a timer, an activity, a condition …) remembers the author's frames of where it came about.
export class Placed extends Map<number, any> {
  set(seq: number, waiting: any): this {
    waiting.at = host.captureStack();
    return super.set(seq, waiting);
  }
}

/** Conditions: a loop that never awaits would pile them up until its time is over. */
class Conditions extends Placed {
  set(seq: number, condition: any): this {
    host.started();
    return super.set(seq, condition);
  }
}

/** What an execution can wait for, in the order in which the stack trace queries show it. */
export const waitedFor = [
  'timer',
  'activity',
  'nexusOperationStart',
  'nexusOperationComplete',
  'childWorkflowStart',
  'childWorkflowComplete',
  'signalWorkflow',
  'cancelWorkflow',
];
function places(activator: any): Map<number, any>[] {
  const { completions } = activator;
  return [...waitedFor.filter((name) => Object.hasOwn(completions, name)).map((name) => completions[name]), activator.blockedConditions];
}

const none = new Set<any>();

/** Makes an execution remember. */
export function attachStacks(activator: any): void {
  Object.setPrototypeOf(activator.blockedConditions, Conditions.prototype);
}

(Activator.prototype as any).getStackTraces = function () {
  const stacks = new Map<string, unknown>();
  for (const waiting of [...places(this), this.triggers ?? none]) {
    for (const { at } of waiting.values()) {
      const stack = host.formatStack(at);
      if (stack.formatted) stacks.set(stack.formatted, stack);
    }
  }
  return [...stacks.values()];
};
