// Number, which goja has wrong for BigInts of more than 64 bits: it keeps the lowest of them.
(function (host) {
  "use strict";
  const { Native, construct } = host;
  const { parseFloat } = Native;
  const Wrapped = {
    Number: function (value) {
      let n = 0;
      if (arguments.length > 0) n = typeof value === "bigint" ? parseFloat(value) : Native(value);
      // In a constructor, goja hands its new.target on to the functions that are called there.
      return new.target !== undefined && this instanceof Wrapped ? construct(n, undefined, new.target === Wrapped ? Native : new.target) : n;
    },
  }.Number;
  return { Number: Wrapped };
})
