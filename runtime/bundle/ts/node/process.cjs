// What readable-stream wants of the packages process and abort-controller: what are globals already.
module.exports = {
  nextTick: (...args) => globalThis.process.nextTick(...args),
  get AbortController() {
    return globalThis.AbortController;
  },
  get AbortSignal() {
    return globalThis.AbortSignal;
  },
};
