/** What Go gives the bundle when it is loaded into a goja runtime. All of it acts on the execution that runs at that time. */
export interface Host {
  /** The next number of a random stream; '' is the main one. */
  random(stream: string): number;
  /** Whether replay found the patch's marker. */
  hasPatch(id: string): boolean;
  /** Why there is no activity of a name; '' if there is one. */
  missingActivity(name: string): string;
  /** One call of a sink. */
  sink(name: string, fn: string, args: unknown[]): void;
  /** Whether the execution keeps to a rule of ours; see runtime/workflow/rules.go. */
  keeps(rule: number): boolean;
  /** A command was made, or a condition is waited for. */
  started(): void;
  /** One call of console. */
  console(level: string, args: unknown[]): void;
  /** Whether lines of that level are wanted now: not while replaying. */
  logs(level: string): boolean;
  /** The globals of the web platform, by group; see runtime/platform/web. */
  webGroups(): Record<string, string[]>;
  /** Makes the globals of a group. now is the time of events. */
  web(group: string, now: () => number): any;
  /** Randomness and time of the machine, for workflowInfo().unsafe alone. */
  unsafeRandom(): number;
  now(): number;
  /** The author's frames of the current stack, for the stack trace queries. */
  captureStack(): unknown;
  /** Formats what captureStack gave: its text and its places. */
  formatStack(stack: unknown): { formatted: string; structured: unknown[] };
  /** Has a promise's rejection be nobody's business, without a handler. */
  handled<T extends Promise<unknown>>(promise: T): T;
  /** Has the function that was the last to await a promise hold less, if code never sees what it returns. */
  awaited(promise: unknown): void;
  /** Takes from a function what only code could see that has it: its name and its length. */
  unseen<T extends Function>(f: T): T;
  /** Freezes an object, as Object.freeze does; see harden.ts. */
  freeze(object: object, hidden?: boolean): void;
}

/** What runtime/compile makes of a row. */
export type WorkflowModule = (require: (name: string) => unknown, module: { exports: any }, exports: any) => void;

/** The wrapper around the bundle has this parameter. */
declare const __host: Host;
export const host = __host;
