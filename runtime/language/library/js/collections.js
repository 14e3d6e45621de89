// Groups, and arrays of asynchronous items.
(function () {
  "use strict";
  return {
    groupObject(items, key) {
      const groups = Object.create(null);
      let i = 0;
      for (const item of items) {
        const k = key(item, i++);
        (groups[k] ??= []).push(item);
      }
      return groups;
    },
    groupMap(items, key) {
      const groups = new Map();
      let i = 0;
      for (const item of items) {
        const k = key(item, i++);
        const group = groups.get(k);
        if (group) group.push(item);
        else groups.set(k, [item]);
      }
      return groups;
    },
    async fromAsync(items, map) {
      const out = [];
      const asynchronous = items[Symbol.asyncIterator];
      if (asynchronous) {
        const it = asynchronous.call(items);
        for (let step = await it.next(); !step.done; step = await it.next()) {
          out.push(map ? await map(step.value, out.length) : step.value);
        }
        return out;
      }
      for (const item of items[Symbol.iterator] ? items : Array.from(items)) {
        const value = await item;
        out.push(map ? await map(value, out.length) : value);
      }
      return out;
    },
  };
})
