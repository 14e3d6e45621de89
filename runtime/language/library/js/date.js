// What old code still calls.
(function () {
  "use strict";
  return {
    toGMTString() {
      return this.toUTCString();
    },
    getYear() {
      return this.getFullYear() - 1900;
    },
    setYear(year) {
      const y = Math.trunc(Number(year));
      return this.setFullYear(y >= 0 && y <= 99 ? 1900 + y : y);
    },
  };
})
