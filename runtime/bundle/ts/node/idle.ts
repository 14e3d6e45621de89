// A module of Node's that isn't here, for packages that hold it and mostly don't use it: what is used of it fails, and says why.

export function make(refusal: string): any {
  const used = (name: string): any => {
    const fail = () => {
      throw Object.assign(new TypeError(`${name}: ${refusal}`), { code: 'MODULE_NOT_FOUND' });
    };
    const target = function () {};
    return new Proxy(target, {
      apply: fail,
      construct: fail,
      get: (_, key) => (key in target ? (target as any)[key] : member(name, key)),
    });
  };
  const made = new Map<PropertyKey, any>();
  const hidden = ['then', 'default', '__esModule', 'toJSON'];
  const member = (name: string, key: PropertyKey): any => {
    if (typeof key !== 'string' || hidden.includes(key)) return undefined;
    const whole = name ? `${name}.${key}` : key;
    if (!made.has(whole)) made.set(whole, used(whole));
    return made.get(whole);
  };
  // Behind the module: what makes a copy of its members takes this along.
  return Object.create(new Proxy({}, { get: (target, key) => (key in target ? (target as any)[key] : member('', key)) }));
}
