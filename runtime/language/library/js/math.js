(function () {
  "use strict";
  return {
    sumPrecise(items) {
      // Neumaier's sum, exact but for cancellations beyond twice a number's precision.
      let sum = -0;
      let rest = 0;
      for (const x of items) {
        if (typeof x !== "number") throw new TypeError("Math.sumPrecise takes numbers");
        const next = sum + x;
        if (Number.isFinite(next)) rest += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
        sum = next;
      }
      return rest === 0 || !Number.isFinite(sum) ? sum : sum + rest;
    },
  };
})
