// Promise's younger functions.
(function () {
  "use strict";
  return {
    withResolvers() {
      let resolve, reject;
      const promise = new this((res, rej) => {
        resolve = res;
        reject = rej;
      });
      return { promise, resolve, reject };
    },
    try(f, ...args) {
      return new this((resolve) => resolve(f(...args)));
    },
    // goja's rejects with an error that has no message.
    any(promises) {
      const C = this;
      return new C((resolve, reject) => {
        const errors = [];
        let left = 1;
        const settled = () => {
          if (--left === 0) reject(new AggregateError(errors, "All promises were rejected"));
        };
        let i = 0;
        for (const promise of promises) {
          const at = i++;
          let called = false;
          left++;
          errors[at] = undefined;
          C.resolve(promise).then(resolve, (error) => {
            if (called) return;
            called = true;
            errors[at] = error;
            settled();
          });
        }
        settled();
      });
    },
  };
})
