#!/usr/bin/env bash
# @swc/core 1.16.22 on Node 20.20.2: class fields for a target that is older than class fields.
#
# The behaviour: TypeScript compiled for ES2017 by swc *defines* its class fields, though ES2017 has none and TypeScript's
# own compiler (5.9.3) *assigns* them for every target below ES2022. swc first defines all fields and parameter properties
# of the class as undefined, then assigns the parameter properties, then the initial values in their order. For a class
# that extends another this decides what is left of an inherited accessor: by swc a setter of the base class is never
# called and an own property hides it, by tsc the setter runs. A field that is only declared (`total: number;`) wipes
# by swc what the base class's constructor had put there; by tsc it leaves it alone.
#
# Guessed: a lower target alone makes swc assign, as `useDefineForClassFields` of TypeScript depends on the target; or that
# it has no influence and parameter properties come after the fields, as where both are native.
# Surprising: both at once: fields are defined *and* initialisers see the parameter properties. Code that is compiled by tsc
# in its tests and by swc in its bundle (webpack with swc-loader) works in the one and is silently wrong in the other.
#
# Seen on 2026-11-29:
#   tsc es2017  tag=xn setter-calls=1 own-level=false total=7
#   swc es2017  tag=xn setter-calls=0 own-level=true total=undefined
#   swc es2017 with jsc.transform.useDefineForClassFields=false  tag=xn setter-calls=1 own-level=false total=7
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @swc/core@1.16.22 typescript@5.9.3 >/dev/null 2>&1

cat >run.cjs <<'JS'
const swc = require('@swc/core');
const ts = require('typescript');
const source = `
let calls = 0;
class Base {
  total: number;
  constructor() { this.total = 7; }
  set level(v: number) { calls++; }
  get level() { return 1; }
}
class Loud {
  tag = 'x' + this.note;
  constructor(readonly note: string) {}
}
class Child extends Base {
  // @ts-ignore
  level = 3;
  total: number;
}
const child = new Child();
export const out = 'tag=' + new Loud('n').tag + ' setter-calls=' + calls +
  ' own-level=' + Object.hasOwn(child, 'level') + ' total=' + child.total;
`;
function run(code) {
  const module = { exports: {} };
  new Function('module', 'exports', code)(module, module.exports);
  return module.exports.out;
}
const bySwc = (transform) => run(swc.transformSync(source, {
  filename: 'a.ts', swcrc: false, module: { type: 'commonjs' },
  jsc: { target: 'es2017', parser: { syntax: 'typescript' }, transform },
}).code);
const byTsc = run(ts.transpileModule(source, {
  compilerOptions: { target: ts.ScriptTarget.ES2017, module: ts.ModuleKind.CommonJS },
}).outputText);
console.log('tsc es2017  ' + byTsc);
console.log('swc es2017  ' + bySwc(undefined));
console.log('swc es2017 with jsc.transform.useDefineForClassFields=false  ' + bySwc({ useDefineForClassFields: false }));
JS

cat >expected <<'TXT'
tsc es2017  tag=xn setter-calls=1 own-level=false total=7
swc es2017  tag=xn setter-calls=0 own-level=true total=undefined
swc es2017 with jsc.transform.useDefineForClassFields=false  tag=xn setter-calls=1 own-level=false total=7
TXT
node run.cjs | tee seen
diff expected seen
