// RegExp.escape.
(function () {
  "use strict";
  return {
    escape(text) {
      if (typeof text !== "string") throw new TypeError("RegExp.escape takes a string");
      const hex = (c) => "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0");
      return text
        .replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
        .replace(/[\t\n\v\f\r]/g, (c) => "\\" + "tnvfr"["\t\n\v\f\r".indexOf(c)])
        .replace(/[,\-=<>#&!%:;@~'`"\s]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, (c) => (c.charCodeAt(0) > 0xff ? "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0") : hex(c)))
        .replace(/^[0-9a-zA-Z]/, hex);
    },
  };
})
