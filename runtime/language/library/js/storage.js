// AsyncLocalStorage, on the context that goja carries along promise reactions.
(function (host) {
  "use strict";
  const { getContext, setContext } = host;
  // A context is an immutable map from storages to values; undefined is the empty one.
  const withValue = (storage, value) => new Map(getContext()).set(storage, value);
  class AsyncLocalStorage {
    getStore() {
      return getContext()?.get(this);
    }
    run(store, f, ...args) {
      const before = getContext();
      setContext(withValue(this, store));
      try {
        return f(...args);
      } finally {
        setContext(before);
      }
    }
    exit(f, ...args) {
      return this.run(undefined, f, ...args);
    }
    enterWith(store) {
      setContext(withValue(this, store));
    }
    disable() {
      const context = new Map(getContext());
      context.delete(this);
      setContext(context);
    }
    static bind(f) {
      const context = getContext();
      return function (...args) {
        const before = getContext();
        setContext(context);
        try {
          return f.apply(this, args);
        } finally {
          setContext(before);
        }
      };
    }
    static snapshot() {
      return AsyncLocalStorage.bind((f, ...args) => f(...args));
    }
  }
  return { AsyncLocalStorage };
})
