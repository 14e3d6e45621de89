// Prints properties.txt: the properties of characters that Go has no tables of, as Node knows them. Each line has a name and spans, of
// which each is the gap behind the one before and the length less one, in base 36. Lines that begin with scx are how the
// extensions of a script differ from the script; lines that begin with sc, its short names.
"use strict";
const spans = (test) => {
  const out = [];
  let last = -1, begin = -1;
  for (let c = 0; c <= 0x110000; c++) {
    const has = c <= 0x10ffff && test(String.fromCodePoint(c));
    if (has && begin < 0) begin = c;
    if (!has && begin >= 0) {
      out.push((begin - last - 1).toString(36) + (c - 1 > begin ? "." + (c - 1 - begin).toString(36) : ""));
      last = c - 1;
      begin = -1;
    }
  }
  return out.join(" ");
};
const is = (name) => {
  const re = new RegExp(`^\\p{${name}}$`, "u");
  return (c) => re.test(c);
};
for (const name of [
  "Bidi_Mirrored", "Case_Ignorable", "Changes_When_Casefolded", "Changes_When_Casemapped", "Changes_When_Lowercased",
  "Changes_When_NFKC_Casefolded", "Changes_When_Titlecased", "Changes_When_Uppercased", "Default_Ignorable_Code_Point", "Grapheme_Base",
  "Grapheme_Extend", "XID_Continue", "XID_Start",
]) console.log(name + " " + spans(is(name)));
const scripts = process.argv.slice(2);
const letters = "abcdefghijklmnopqrstuvwxyz";
const sample = {};
for (const script of scripts) {
  let known;
  try { known = is("sc=" + script); } catch { continue; }
  const extended = is("scx=" + script);
  const difference = spans((c) => known(c) !== extended(c));
  if (difference) console.log("scx " + script + " " + difference);
  for (let c = 0; c <= 0x10ffff; c++) if (known(String.fromCodePoint(c))) { sample[script] = String.fromCodePoint(c); break; }
}
for (const a of letters.toUpperCase()) for (const b of letters) for (const c of letters) for (const d of letters) {
  let short;
  try { short = is("sc=" + a + b + c + d); } catch { continue; }
  for (const script in sample) if (script !== a + b + c + d && short(sample[script])) console.log(`sc ${a + b + c + d} ${script}`);
}
