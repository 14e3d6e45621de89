// What @temporalio/activity wants of Node's module: the class that runtime/sandbox makes a global.
export const AsyncLocalStorage = (globalThis as any).AsyncLocalStorage;
