(function (host) {
  "use strict";
  const { wellFormed } = host;
  const { apply } = Reflect;
  // JSON with half surrogate pairs, which goja's parser replaces: each becomes a mark and four digits on the way through it.
  const half = /\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|[^])/g;
  // Numbers greater than the greatest, which it refuses: each becomes a text of a mark and a sign.
  const token = /"(?:[^"\\]|\\[^])*"|-?[0-9][0-9.eE+-]*(?=[ \t\r\n]*(.?))/g;
  const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
  const escapeHalves = (text) => {
    let out = "";
    for (let c of text) out += c.length === 1 && c >= "\ud800" && c <= "\udfff" ? "\\u" + c.charCodeAt(0).toString(16) : c;
    return out;
  };
  // Without a call for each level, and in JavaScript, where it can be interrupted: a reviver may change what it is about to be
  // asked about, for what has no end.
  const revive = (reviver, value) => {
    const isObject = (x) => typeof x === "object" && x !== null;
    const open = (holder, key, up) => {
      const value = holder[key];
      if (!isObject(value)) return { holder, key, value, keys: [], next: 0, length: 0, up };
      if (Array.isArray(value)) return { holder, key, value, keys: undefined, next: 0, length: value.length, up };
      const keys = Object.keys(value);
      return { holder, key, value, keys, next: 0, length: keys.length, up };
    };
    let level = open({ "": value }, "", undefined);
    for (;;) {
      if (level.next < level.length) {
        const i = level.next++;
        level = open(level.value, level.keys === undefined ? String(i) : level.keys[i], level);
        continue;
      }
      const revived = apply(reviver, level.holder, [level.key, level.value]);
      if (level.up === undefined) return revived;
      if (revived === undefined) Reflect.deleteProperty(level.holder, level.key);
      else Reflect.defineProperty(level.holder, level.key, { value: revived, writable: true, enumerable: true, configurable: true });
      level = level.up;
    }
  };
  const parseDisguised = (parse, text, reviver, disguised) => {
    if (!disguised) return revive(reviver, parse(text));
    let mark = 0xe000;
    while (text.includes(String.fromCharCode(mark)) || text.includes("\\u" + mark.toString(16))) mark++;
    mark = String.fromCharCode(mark);
    if (wellFormed(text) !== text) text = escapeHalves(text);
    const marked = text
      .replace(token, (found, next) =>
        found[0] === '"' || next === ":" || !number.test(found) || isFinite(found) ? found : `"${mark}${found[0] === "-" ? "-" : "+"}"`
      )
      .replace(half, (found, pair, escaped) => (escaped ? mark + escaped : found));
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
      if (typeof value === "string") {
        if (value === mark + "+") return Infinity;
        if (value === mark + "-") return -Infinity;
        return value.includes(mark) ? restored(value) : value;
      }
      if (Array.isArray(value)) return value.map(restore);
      if (typeof value !== "object" || value === null) return value;
      const out = {};
      for (const key of Object.keys(value)) {
        Object.defineProperty(out, restore(key), { value: restore(value[key]), writable: true, enumerable: true, configurable: true });
      }
      return out;
    };
    const value = restore(parse(marked));
    return typeof reviver === "function" ? revive(reviver, value) : value;
  };
  return { parseDisguised };
})
