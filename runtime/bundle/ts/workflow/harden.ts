// Executions share a runtime's builtins: freezing them keeps one from changing what another sees.

const isObject = (v: unknown): v is object => (typeof v === 'object' && v !== null) || typeof v === 'function';

/** As Object.freeze, but what inherits from the object may still be assigned to: see runtime/sandbox/freeze.go. */
type Freeze = (object: object, hidden?: boolean) => void;
let freeze: Freeze;

/** Freezes an object and its methods, which are objects, too. */
function freezeWithMethods(object: object): void {
  Reflect.ownKeys(object).forEach((name) => {
    const { value, get, set } = Reflect.getOwnPropertyDescriptor(object, name)!;
    [value, get, set].forEach((f) => typeof f === 'function' && f !== globalThis && freeze(f));
  });
  freeze(object);
}

function freezeWithPrototype(value: unknown): void {
  if (!isObject(value)) return;
  freezeWithMethods(value);
  const prototype = (value as any).prototype;
  if (isObject(prototype)) freezeWithMethods(prototype);
}

/**
 * Freezes the global object, the builtins that hang from it, and what executions share of this bundle. By forEach: goja makes
 * two objects for each step of a for-of loop.
 */
export function harden(shared: object[], by: Freeze): void {
  freeze = by;
  const global: any = globalThis;
  Reflect.ownKeys(global).forEach((name) => {
    // What is made at its first use is frozen then; see runtime/sandbox/globals.go.
    if (Reflect.getOwnPropertyDescriptor(global, name)!.get) return;
    if (global[name] !== global) freezeWithPrototype(global[name]);
  });
  // Prototypes that no global names.
  const helped = (([] as any)[Symbol.iterator]() as any).map(() => 0);
  [[], new Map(), new Set(), '', new Map().entries(), 'a'.matchAll(/a/g), helped].forEach((it: any) => {
    const prototype = Object.getPrototypeOf(it[Symbol.iterator]());
    freezeWithMethods(prototype);
    freezeWithMethods(Object.getPrototypeOf(prototype));
  });
  [Uint8Array, function* () {}, async function () {}].forEach((f) => freezeWithPrototype(Object.getPrototypeOf(f)));
  shared.forEach((value: any) => {
    freeze(value);
    Object.keys(value).forEach((name) => {
      const exported = value[name];
      if (isObject(exported)) freeze(exported);
    });
  });
  freeze(global, true);
}
