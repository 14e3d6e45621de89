// Freezes an object and all that can be reached from it, except through what is frozen already.
(function (host) {
  "use strict";
  const { freeze } = host;
  const { isFrozen, getPrototypeOf, getOwnPropertyDescriptor } = Object;
  const { ownKeys } = Reflect;
  const isObject = (v) => (typeof v === "object" && v !== null) || typeof v === "function";
  return {
    freeze(root) {
      const todo = [root];
      while (todo.length > 0) {
        const value = todo.pop();
        if (!isObject(value) || isFrozen(value)) continue;
        freeze(value);
        todo.push(getPrototypeOf(value));
        for (const key of ownKeys(value)) {
          const property = getOwnPropertyDescriptor(value, key);
          todo.push(property.value, property.get, property.set);
        }
      }
    },
  };
})
