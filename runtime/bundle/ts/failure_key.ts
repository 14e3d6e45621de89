/** Whether a failure has its own "failure" before what its class adds: activities are never replayed. */
export const declaresFailure = (): boolean => true;
