// What workflows have in their bundle, for activities whose executions share a runtime.
export { harden } from '../workflow/harden';
