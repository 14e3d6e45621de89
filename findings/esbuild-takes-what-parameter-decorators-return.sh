#!/usr/bin/env bash
# esbuild 0.28.2, with TypeScript 5.9.3 and @swc/core 1.16.22 beside it, on Node 20.20.2: what a parameter decorator returns, with
# experimentalDecorators.
#
# The behaviour: TypeScript and swc drop the value. esbuild hands it on as if the decorator stood at the class or the method:
# any truthy value from a constructor's parameter replaces the class, and one from a method's parameter is taken for the
# method's new property descriptor. A Map as descriptor has a `get` and a `set`, so the method turns into an accessor whose getter
# is Map.prototype.get.
#
# Guessed: the value is dropped, as parameter decorators have nothing that they could replace.
# Surprising: TypeScript's checker can't warn: ParameterDecorator returns void, and any function may stand for one that does. The
# usual one-liner `(target, key, index) => tokens.set(index, token)` returns the Map by accident, is right by tsc, and
# turns the class into a Map by esbuild; with `=> tokens.push(token)` the class is a number. The same line in braces is
# right everywhere.
#
# Seen on 2026-11-30 (Service's and Handler's decorators return a Map, Counted's a number, Quiet's nothing):
#   tsc has no complaint
#   tsc  Service [object Function] Counted [object Function] Handler.run [object Function] Quiet 21
#   swc  Service [object Function] Counted [object Function] Handler.run [object Function] Quiet 21
#   esbuild  Service [object Map] Counted [object Number] Handler.run getter true Quiet 21
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts esbuild@0.28.2 typescript@5.9.3 @swc/core@1.16.22 >/dev/null 2>&1

cat >source.ts <<'TS'
const tokens = new Map<number, string>();
const order: string[] = [];
const Inject = (token: string): ParameterDecorator => (_target, _key, index) => tokens.set(index, token);
const Numbered = (name: string): ParameterDecorator => () => order.push(name);
const Braces = (token: string): ParameterDecorator => (_target, _key, index) => { tokens.set(index, token); };

class Service { constructor(@Inject('db') readonly db: string) {} }
class Counted { constructor(@Numbered('a') readonly a: string) {} }
class Handler { run(@Inject('body') body: string) { return body; } }
class Quiet { constructor(@Braces('db') readonly db: string) {} run(@Braces('body') body: string) { return body + this.db; } }

const kind = (value: unknown) => Object.prototype.toString.call(value);
const run = Object.getOwnPropertyDescriptor(Handler.prototype, 'run')!;
export const out = `Service ${kind(Service)} Counted ${kind(Counted)} ` +
  `Handler.run ${run.get ? `getter ${run.get === Map.prototype.get}` : kind(run.value)} Quiet ${new Quiet('1').run('2')}`;
TS
npx tsc --noEmit --strict --target es2022 --experimentalDecorators source.ts && echo 'tsc has no complaint' | tee seen

cat >run.cjs <<'JS'
const { readFileSync } = require('node:fs');
const esbuild = require('esbuild');
const swc = require('@swc/core');
const ts = require('typescript');
const source = readFileSync('source.ts', 'utf8');
const compilerOptions = { target: 'es2022', module: 'commonjs', experimentalDecorators: true };
const by = {
  tsc: () => ts.transpileModule(source, { compilerOptions }).outputText,
  swc: () => swc.transformSync(source, {
    filename: 'source.ts', swcrc: false, module: { type: 'commonjs' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true } },
  }).code,
  esbuild: () => esbuild.transformSync(source, { loader: 'ts', format: 'cjs', tsconfigRaw: { compilerOptions } }).code,
};
for (const [name, compile] of Object.entries(by)) {
  const module = { exports: {} };
  new Function('module', 'exports', compile())(module, module.exports);
  console.log(`${name}  ${module.exports.out}`);
}
JS
cat >expected <<'TXT'
tsc has no complaint
tsc  Service [object Function] Counted [object Function] Handler.run [object Function] Quiet 21
swc  Service [object Function] Counted [object Function] Handler.run [object Function] Quiet 21
esbuild  Service [object Map] Counted [object Number] Handler.run getter true Quiet 21
TXT
node run.cjs | tee -a seen
diff expected seen
