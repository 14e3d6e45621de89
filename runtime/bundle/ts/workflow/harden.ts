// Executions share a runtime's builtins: freezing them keeps one from changing what another sees.

// Names that code assigns on its own objects and that a frozen prototype would refuse (`this.name = …` in an error class):
// they become accessors whose setter makes the property on the object, as an ordinary assignment would.
const assignable: Array<[object, PropertyKey[]]> = [
  [Object.prototype, Reflect.ownKeys(Object.prototype)],
  [Function.prototype, ['constructor', 'toString', 'bind', 'call', 'apply']],
  [Array.prototype, ['constructor', 'toString', 'concat', 'push', 'map', 'filter', 'forEach', 'find', 'includes']],
  [Promise.prototype, ['constructor', 'then', 'catch', 'finally']],
  ...[Map, Set, Date, RegExp, String, Number, Boolean].map(({ prototype }): [object, PropertyKey[]] => [
    prototype,
    ['constructor', 'toString', 'valueOf', 'get', 'set', 'has', 'delete', 'clear', 'add'],
  ]),
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    ({ prototype }): [object, PropertyKey[]] => [prototype, ['constructor', 'message', 'name', 'toString']]
  ),
];

function makeAssignable(object: object, name: PropertyKey): void {
  const { value, enumerable, writable } = Reflect.getOwnPropertyDescriptor(object, name) ?? {};
  if (!writable) return;
  if (typeof value === 'function') Object.freeze(value);
  Object.defineProperty(object, name, {
    get: () => value,
    set(this: object, v: unknown) {
      if (this === object) throw new TypeError(`Cannot assign to read only property '${String(name)}'`);
      Object.defineProperty(this, name, { value: v, writable: true, enumerable: true, configurable: true });
    },
    enumerable,
    configurable: false,
  });
}

const isObject = (v: unknown): v is object => (typeof v === 'object' && v !== null) || typeof v === 'function';

/** Freezes an object and its methods, which are objects, too. */
function freezeWithMethods(object: object): void {
  Reflect.ownKeys(object).forEach((name) => {
    const { value, get, set } = Reflect.getOwnPropertyDescriptor(object, name)!;
    [value, get, set].forEach((f) => typeof f === 'function' && f !== globalThis && Object.freeze(f));
  });
  Object.freeze(object);
}

function freezeWithPrototype(value: unknown): void {
  if (!isObject(value)) return;
  freezeWithMethods(value);
  const prototype = (value as any).prototype;
  if (typeof value === 'function' && isObject(prototype)) freezeWithMethods(prototype);
}

/**
 * Freezes the global object, the builtins that hang from it, and what executions share of this bundle. By forEach: goja makes
 * two objects for each step of a for-of loop.
 */
export function harden(shared: object[]): void {
  assignable.forEach(([object, names]) => names.forEach((name) => makeAssignable(object, name)));
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
    Object.freeze(value);
    Object.keys(value).forEach((name) => {
      const exported = value[name];
      if (isObject(exported)) Object.freeze(exported);
    });
  });
  Object.freeze(global);
}
