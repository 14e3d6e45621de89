(function (host) {
  "use strict";
  const { wellFormed } = host;
  const { apply } = Reflect;
  // JSON with half surrogate pairs, which goja's parser replaces: each becomes a mark and four digits on the way through it.
  const half = /\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|[^])/g;
  const escapeHalves = (text) => {
    let out = "";
    for (let c of text) out += c.length === 1 && c >= "\ud800" && c <= "\udfff" ? "\\u" + c.charCodeAt(0).toString(16) : c;
    return out;
  };
  const parseHalves = (parse, text, reviver) => {
    let mark = 0xe000;
    while (text.includes(String.fromCharCode(mark)) || text.includes("\\u" + mark.toString(16))) mark++;
    mark = String.fromCharCode(mark);
    if (wellFormed(text) !== text) text = escapeHalves(text);
    const marked = text.replace(half, (found, pair, escaped) => (escaped ? mark + escaped : found));
    const restored = (s) => {
      let out = "";
      for (let i = 0; i < s.length; i++) {
        if (s[i] !== mark) out += s[i];
        else {
          out += String.fromCharCode(parseInt(s.slice(i + 1, i + 5), 16));
          i += 4;
        }
      }
      return out;
    };
    const restore = (value) => {
      if (typeof value === "string") return value.includes(mark) ? restored(value) : value;
      if (Array.isArray(value)) return value.map(restore);
      if (typeof value !== "object" || value === null) return value;
      const out = {};
      for (const key of Object.keys(value)) {
        Object.defineProperty(out, restore(key), { value: restore(value[key]), writable: true, enumerable: true, configurable: true });
      }
      return out;
    };
    const revive = (holder, key) => {
      const value = holder[key];
      if (typeof value === "object" && value !== null) {
        for (const k of Object.keys(value)) {
          const next = revive(value, k);
          if (next === undefined) delete value[k];
          else value[k] = next;
        }
      }
      return apply(reviver, holder, [key, value]);
    };
    const value = restore(parse(marked));
    return typeof reviver === "function" ? revive({ "": value }, "") : value;
  };
  return { parseHalves };
})
