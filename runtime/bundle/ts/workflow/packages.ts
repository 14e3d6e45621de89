// npm packages inside an execution: a program of the operator's packages, which Go has bundled (runtime/compile), evaluated
// anew for each execution as the module itself is.
import { uuid4 } from '@temporalio/workflow';
import type { WorkflowModule } from './host';

type Require = (name: string) => any;

/** What a bundle evaluates to: given a crypto, a function that fills exports with a function per name. */
export type Packages = (crypto: unknown) => (require: Require, module: { exports: any }, exports: any) => void;

/** The module, with a require that finds the packages. */
export function withPackages(module: WorkflowModule, packages: Packages, names: string[]): WorkflowModule {
  return (require, m, exports) => {
    let loaded: Record<string, () => unknown> | undefined;
    const load = () => {
      const table = { exports: {} as any };
      packages(deterministicCrypto())(missing(require), table, table.exports);
      return table.exports;
    };
    const find: Require = (name) => (names.includes(name) ? (loaded ??= load())[name]() : require(name));
    module(find, m, exports);
  };
}

// "node:fs#axios": which package requires what. Many of them try, and go on without.
function missing(require: Require): Require {
  return (name) => {
    const [asked, by] = String(name).split('#');
    try {
      return require(asked);
    } catch (cause) {
      const who = by ? `the npm package ${by}` : 'an npm package';
      const error: any = new TypeError(`${who} needs "${asked}", which workflows don't have: use the package in an activity`, { cause });
      error.code = 'MODULE_NOT_FOUND';
      throw error;
    }
  };
}

// What packages make identifiers with, from the execution's own random numbers: they are the same in every replay. They are not
// secret, as nothing is in a workflow. Workflow code itself has no crypto, as upstream.
function deterministicCrypto() {
  return {
    getRandomValues<T extends ArrayBufferView>(array: T): T {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256;
      return array;
    },
    randomUUID: () => uuid4(),
  };
}
