import { host } from './host';

/** What the package waits with and no code ever sees: an execution that waits holds it, so it has no names and lengths. */
export const unseen = {
  function: host.unseen,
  handled: host.handled,
  promise,
  caught: (promise: Promise<unknown>, f: (reason: unknown) => unknown) => promise.catch(host.unseen(f)),
};

function promise<T>(executor: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void): Promise<T> {
  let settle: any[] = [];
  const made = new Promise<T>((...functions) => {
    settle = functions;
  });
  const [resolve, reject] = settle;
  try {
    executor(host.unseen(resolve), host.unseen(reject));
  } catch (error) {
    reject(error);
  }
  return made;
}
