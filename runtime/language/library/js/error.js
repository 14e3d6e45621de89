(function () {
  "use strict";
  return {
    // goja's stacks are made with the error; here an object gets that of a new one.
    captureStackTrace(object) {
      const { stack } = new Error();
      const at = stack.indexOf("\n");
      const head = object instanceof Error ? String(object) : "Error";
      const value = head + (at < 0 ? "" : stack.slice(at));
      Object.defineProperty(object, "stack", { value, writable: true, enumerable: false, configurable: true });
    },
  };
})
