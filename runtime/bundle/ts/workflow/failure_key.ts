import { host } from './host';

/** See runtime/workflow/rules.go. */
export const ruleThere = 10;

/** Whether a failure has its own "failure" before what its class adds, as upstream's compiler has it. */
export const declaresFailure = (): boolean => host.keeps(ruleThere);
