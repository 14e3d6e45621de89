// What packages want of Node's module buffer: the class that is a global already.
module.exports = {
  get Buffer() {
    return globalThis.Buffer;
  },
};
