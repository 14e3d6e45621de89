// Prints matches.jsonl: expressions made by a seeded generator, each with flags, a text, and what Node says of them: the ends of the groups
// of the first matches, or the error's message. Node 20 has neither modifiers nor names that several groups share; the test's own tables
// have those.
"use strict";
let seed = 20250601;
const random = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = (list) => list[random(list.length)];
const many = (n, f) => Array.from({ length: random(n) }, f).join("");

let groups, names, flags;
const letters = ["a", "b", "c", "A", "B", "1", "2", "_", " ", "-", "k", "s", "\\n", "é", "É", "ß", "ſ", "K", "σ", "ς", "Σ", "😀", "\\u{1F600}", "\\ud83d", "\\xe9", "\\u00e9", "ǅ", "ı", "İ"];
const wild = ["{", "}", "]", "\\-", "\\8", "\\_", "\\c", "\\cA", "\\x4", "\\u12", "\\07", "\\0", "\\k", "\\p{L}", "\\P{Lu}", "\\p{Script=Greek}", "\\p{Emoji}", "\\p{ASCII}", "\\p{Nope}", "\\u{61}", "a{", "a{1", "a{,2}"];
const classes = ["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "."];
const classAtom = () => pick([() => pick(letters), () => pick(letters), () => pick(classes.slice(0, 6)), () => pick(["a-c", "A-Z", "a-z", "0-9", "é-ü", "-", "^", "\\b", "\\]", "😀-😂", "c-a", "\\d-z", "\\p{L}"])])();
const setAtom = (depth) =>
  pick([
    () => pick(letters.filter((c) => !/[-]/.test(c))), () => pick(["a-c", "A-Z", "\\d", "\\w", "\\W", "\\p{L}", "\\P{Lu}", "\\q{ab|c|}", "\\q{abc|a}", "\\q{É}", "&", "\\-", "(", "\\&"]),
    () => (depth > 0 ? "[" + (random(5) ? "" : "^") + setContents(depth - 1) + "]" : "b"),
  ])();
const setContents = (depth) => {
  const op = pick(["", "", "", "--", "&&"]);
  const list = Array.from({ length: 1 + random(3) }, () => setAtom(depth));
  return list.join(op);
};
const charClass = () => (flags.includes("v") ? "[" + (random(4) ? "" : "^") + setContents(2) + "]" : "[" + (random(4) ? "" : "^") + many(4, classAtom) + "]");
const atom = (depth) => {
  const n = random(depth > 0 ? 20 : 12);
  if (n < 7) return pick(letters);
  if (n < 9) return pick(classes);
  if (n < 11) return charClass();
  if (n < 12) return random(6) ? pick(letters) : pick(wild);
  if (n < 14) { groups++; return "(" + disjunction(depth - 1) + ")"; }
  if (n < 16) return "(?:" + disjunction(depth - 1) + ")";
  if (n < 17) return pick(["(?=", "(?!", "(?<=", "(?<!"]) + disjunction(depth - 1) + ")";
  if (n < 18) { const name = "n" + names++; groups++; return `(?<${name}>` + disjunction(depth - 1) + ")"; }
  if (n < 19) return groups ? "\\" + (1 + random(groups + 1)) : "\\1";
  return names ? `\\k<n${random(names)}>` : "\\b";
};
const term = (depth) => {
  const n = random(12);
  if (n === 0) return pick(["^", "$", "\\b", "\\B"]);
  return atom(depth) + (n < 5 ? pick(["*", "+", "?", "{2}", "{1,2}", "{0,}", "{2,}", "{0}", "{1,3}"]) + (random(3) ? "" : "?") : "");
};
const alternative = (depth) => Array.from({ length: random(5) }, () => term(depth)).join("");
const disjunction = (depth) => Array.from({ length: 1 + (random(3) ? 0 : random(3)) }, () => alternative(depth)).join("|");
const subject = () => many(14, () => pick(["a", "b", "c", "ab", "A", "B", "1", "2", "_", " ", "-", "k", "K", "s", "ſ", "K", "\n", "\r\n", "é", "É", "ß", "ẞ", "σ", "ς", "Σ", "😀", "😁", "\ud83d", "\ude00", "ǆ", "i", "ı", "İ", "\u2028"]));

const rows = [];
for (let errors = 0; rows.length < 3200; ) {
  groups = 0;
  names = 0;
  flags = pick(["", "", "", "g", "i", "m", "s", "u", "iu", "gu", "v", "iv", "gi", "y", "gy", "ims", "uy"]);
  const source = alternative(3) + (random(3) ? "" : "|" + alternative(2));
  const text = subject();
  let result;
  try {
    const re = new RegExp(source, flags + "d");
    result = [];
    for (let i = 0; i < 4; i++) {
      const m = re.exec(text);
      if (m === null) { result.push(null); break; }
      result.push(m.indices.map((ends) => ends ?? null));
      if (!re.global && !re.sticky) break;
      if (m[0] === "") re.lastIndex++;
    }
  } catch (e) {
    if (++errors % 4) continue; // most of them are alike
    result = e.message;
  }
  rows.push(JSON.stringify([source, flags, text, result]));
}
console.log(rows.join("\n"));
