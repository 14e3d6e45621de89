const isObject = (v: unknown): v is object => (typeof v === 'object' && v !== null) || typeof v === 'function';

/** Freezes an object and all that can be reached from it, except through what is frozen already: the builtins. */
export function freezeAll(root: object): void {
  const todo: unknown[] = [root];
  while (todo.length > 0) {
    const value = todo.pop();
    if (!isObject(value) || Object.isFrozen(value)) continue;
    Object.freeze(value);
    todo.push(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key)!;
      todo.push(property.value, property.get, property.set);
    }
  }
}
