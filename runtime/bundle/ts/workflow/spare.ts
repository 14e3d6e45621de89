import { RawValue } from '@temporalio/common/lib/converter/payload-converter';
import { getActivator } from '@temporalio/workflow/lib/global-attributes';
import { Activator } from '@temporalio/workflow/lib/internals';
import pkg from '@temporalio/workflow/lib/pkg';
import { Placed, waitedFor } from './stacks';

// The package gives each execution some twenty maps and lists, and handlers of its own for the queries that all answer alike.
// An execution that waits holds what it was given, so here most of it is made when it is first asked for, or shared: the bundle
// has the activator without these fields, see runtime/bundle/generate/spare.go.

/** Gives what inherits from an object properties that are made when they are first asked for. */
function lazily(prototype: object, made: Record<string, () => object>): void {
  Object.keys(made).forEach((name) =>
    Object.defineProperty(prototype, name, {
      get() {
        const value = made[name]!();
        define(this, name, value);
        return value;
      },
      set(value: unknown) {
        define(this, name, value);
      },
    })
  );
}

function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

const map = () => new Map();
const list = () => [];
const own: Record<string, () => object> = {
  moduleCache: map,
  updateHandlers: map,
  inProgressUpdates: map,
  inProgressSignals: map,
  namedRandomStreams: map,
  patchDecisions: map,
  sentPatches: () => new Set(),
  bufferedUpdates: list,
  bufferedSignals: list,
  workflowSandboxDestructors: list,
  randomnessSeed: list,
};
lazily(Activator.prototype, own);

const completions = {};
lazily(completions, Object.fromEntries(waitedFor.map((name) => [name, () => new Placed()])));

const builtIn = new Map<string, any>([
  ['__stack_trace', { handler: () => new RawValue(stacks().map((s) => s.formatted).join('\n\n')), description: 'Returns a sensible stack trace.' }],
  [
    '__enhanced_stack_trace',
    {
      handler: () =>
        new RawValue({
          sdk: { name: 'typescript', version: pkg.version },
          stacks: stacks().map(({ structured: locations }) => ({ locations })),
          sources: {},
        }),
      description: 'Returns a stack trace annotated with source information.',
    },
  ],
  [
    '__temporal_workflow_metadata',
    {
      handler: () => {
        const activator: any = getActivator();
        const described = (handlers: Map<string, any>) => Array.from(handlers.entries()).map(([name, { description }]) => ({ name, description }));
        return new RawValue({
          definition: {
            type: activator.info.workflowType,
            queryDefinitions: described(activator.queryHandlers),
            signalDefinitions: described(activator.signalHandlers),
            updateDefinitions: described(activator.updateHandlers),
          },
          currentDetails: activator.currentDetails,
        });
      },
      description: 'Returns metadata associated with this workflow.',
    },
  ],
]);
builtIn.forEach((query) => {
  Object.freeze(query.handler);
  Object.freeze(query);
});

function stacks(): any[] {
  return (getActivator() as any).getStackTraces();
}

/** Query handlers: those that all executions have, and one's own. */
class Queries extends Map<string, any> {
  get(name: string): any {
    return super.get(name) ?? builtIn.get(name);
  }
  has(name: string): boolean {
    return super.has(name) || builtIn.has(name);
  }
  keys(): any {
    return [...builtIn.keys(), ...super.keys()].values();
  }
  entries(): any {
    return [...builtIn.entries(), ...super.entries()].values();
  }
}

/** Gives executions what they have alike until it changes. */
export function share(values: Record<string, unknown>): void {
  Object.assign(Activator.prototype, values);
}

// Nothing is buffered in most executions, which would get a list at the first look.
for (const [method, buffer] of [
  ['dispatchBufferedUpdates', 'bufferedUpdates'],
  ['rejectBufferedUpdates', 'bufferedUpdates'],
  ['dispatchBufferedSignals', 'bufferedSignals'],
] as const) {
  const look = Activator.prototype[method];
  Activator.prototype[method] = function () {
    if (Object.hasOwn(this, buffer)) look.call(this);
  };
}

/** Gives a new execution what it has of its own. */
export function spare(activator: any): void {
  activator.completions = Object.create(completions);
  activator.queryHandlers = new Queries();
}
