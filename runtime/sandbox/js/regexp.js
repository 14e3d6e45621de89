// RegExp with \p{…} in expressions made while code runs; those of literals were expanded by the compiler.
(function (host) {
  "use strict";
  const { Native, construct, expandProperties } = host;
  const Wrapped = {
    RegExp: function (pattern, flags) {
      if (new.target === undefined && flags === undefined && pattern instanceof Native) return pattern;
      if (flags !== undefined && String(flags).includes("u")) {
        pattern = expandProperties(pattern instanceof Native ? pattern.source : String(pattern), String(flags));
      }
      return construct(pattern, flags, new.target === undefined || new.target === Wrapped ? Native : new.target);
    },
  }.RegExp;
  return { RegExp: Wrapped };
})
