import { Activator } from '@temporalio/workflow/lib/internals';
import { host } from './host';

// The stack trace queries tell where an execution waits. Upstream follows every promise with V8's hooks; here each thing that
// can be waited for (a timer, an activity, a condition …) remembers the author's frames of where it came about.
class Placed extends Map<number, any> {
  set(seq: number, waiting: any): this {
    waiting.at = host.captureStack();
    return super.set(seq, waiting);
  }
}

function places(activator: any): Map<number, any>[] {
  return [...Object.values(activator.completions), activator.blockedConditions] as Map<number, any>[];
}

const none = new Set<any>();

/** Makes an execution remember. */
export function attachStacks(activator: any): void {
  for (const map of places(activator)) Object.setPrototypeOf(map, Placed.prototype);
  activator.promiseStackStore = undefined; // the package's own way
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
