// What the checked operators need of the language's conversions.
(function () {
  "use strict";
  const { toPrimitive } = Symbol;
  const isObject = (x) => (typeof x === "object" && x !== null) || typeof x === "function";
  const primitive = (object, hint = "number") => {
    const convert = object[toPrimitive];
    if (convert != null) {
      const value = Reflect.apply(convert, object, [hint]);
      if (!isObject(value)) return value;
    } else {
      for (const name of ["valueOf", "toString"]) {
        const f = object[name];
        if (typeof f !== "function") continue;
        const value = Reflect.apply(f, object, []);
        if (!isObject(value)) return value;
      }
    }
    throw new TypeError("Cannot convert object to primitive value");
  };
  return {
    primitive,
    numeric(object) {
      const value = primitive(object);
      return typeof value === "bigint" ? value : +value;
    },
  };
})
