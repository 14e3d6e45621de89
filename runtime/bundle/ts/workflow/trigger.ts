import { Trigger as Base } from '@temporalio/workflow/lib/trigger';
import { maybeGetActivator } from '@temporalio/workflow/lib/global-attributes';
import { host } from './host';

/** The package's, which the stack trace queries know of as long as it isn't settled; see stacks.ts. */
export class Trigger<T> extends Base<T> {
  constructor() {
    super();
    const activator: any = maybeGetActivator();
    if (!activator) return;
    const triggers: Set<unknown> = (activator.triggers ??= new Set());
    const waiting = { at: host.captureStack() };
    const forget = () => triggers.delete(waiting);
    triggers.add(waiting);
    this.promise.then(forget, forget);
  }
}
