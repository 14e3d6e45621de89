// What belongs to several threads, and to a garbage collector that can be watched: here there is one thread, and an object
// that is referred to weakly lives as long as its runtime, as the language allows.
(function () {
  "use strict";
  const target = (value, what) => {
    if ((typeof value !== "object" || value === null) && typeof value !== "function" && typeof value !== "symbol") {
      throw new TypeError(`${what}: target must be an object`);
    }
    return value;
  };
  class WeakRef {
    #target;
    constructor(value) {
      this.#target = target(value, "WeakRef");
    }
    deref() {
      return this.#target;
    }
  }
  class FinalizationRegistry {
    constructor(cleanup) {
      if (typeof cleanup !== "function") throw new TypeError("FinalizationRegistry: cleanup must be callable");
    }
    register(value) {
      target(value, "FinalizationRegistry.prototype.register");
    }
    unregister() {
      return false;
    }
  }
  class SharedArrayBuffer {
    constructor() {
      throw new TypeError("SharedArrayBuffer is not supported: there is one thread here, use ArrayBuffer");
    }
    get byteLength() {
      throw new TypeError("SharedArrayBuffer.prototype.byteLength was called on something else");
    }
  }
  const kinds = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];
  const at = (array, index) => {
    if (!kinds.some((Kind) => array instanceof Kind)) throw new TypeError("[object Array] is not an integer typed array.");
    const i = Math.trunc(Number(index)) || 0;
    if (i < 0 || i >= array.length) throw new RangeError("Invalid atomic access index");
    return i;
  };
  const value = (array, v) => (array instanceof BigInt64Array || array instanceof BigUint64Array ? BigInt(v) : Math.trunc(Number(v)) || 0);
  const Atomics = {
    isLockFree: (size) => [1, 2, 4, 8].includes(Number(size)),
    load: (array, index) => array[at(array, index)],
    store(array, index, v) {
      const i = at(array, index);
      const stored = value(array, v);
      array[i] = stored;
      return stored;
    },
    compareExchange(array, index, expected, replacement) {
      const i = at(array, index);
      const before = array[i];
      const wanted = array.slice(i, i + 1);
      wanted[0] = value(array, expected);
      const next = value(array, replacement);
      if (before === wanted[0]) array[i] = next;
      return before;
    },
    notify(array, index) {
      at(array, index);
      return 0;
    },
    pause(n) {
      if (n !== undefined && !Number.isInteger(n)) throw new TypeError("Atomics.pause takes an integer");
    },
    wait() {
      throw new TypeError("Atomics.wait cannot be called in this context");
    },
  };
  const change = {
    add: (a, b) => a + b,
    and: (a, b) => a & b,
    exchange: (a, b) => b,
    or: (a, b) => a | b,
    sub: (a, b) => a - b,
    xor: (a, b) => a ^ b,
  };
  for (const name of Object.keys(change)) {
    Atomics[name] = {
      [name](array, index, v) {
        const i = at(array, index);
        const before = array[i];
        array[i] = change[name](before, value(array, v));
        return before;
      },
    }[name];
  }
  for (const name of Object.keys(Atomics)) Object.defineProperty(Atomics, name, { enumerable: false });
  Object.defineProperty(Atomics, Symbol.toStringTag, { value: "Atomics", configurable: true });
  for (const Class of [WeakRef, FinalizationRegistry, SharedArrayBuffer]) {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
  }
  return { Atomics, FinalizationRegistry, SharedArrayBuffer, WeakRef };
})
