// RegExp with \p{…} in expressions made while code runs; those of literals were expanded by the compiler.
(function (host) {
  "use strict";
  const { Native, construct, expandProperties } = host;
  const Wrapped = {
    RegExp: function (pattern, flags) {
      // In a constructor, goja hands its new.target on to the functions that are called there.
      const made = new.target !== undefined && this instanceof Wrapped;
      if (!made && flags === undefined && pattern instanceof Native) return pattern;
      if (flags !== undefined && /[mu]/.test(String(flags))) {
        pattern = expandProperties(pattern instanceof Native ? pattern.source : String(pattern), String(flags));
      }
      return construct(pattern, flags, !made || new.target === Wrapped ? Native : new.target);
    },
  }.RegExp;
  return { RegExp: Wrapped };
})
