// process, as far as portable code looks at it, and performance.
(function (host) {
  "use strict";
  const performance = { now: () => host.now(), timeOrigin: host.timeOrigin, toJSON: () => ({ timeOrigin: host.timeOrigin }) };
  const hrtime = (since) => {
    const t = host.now();
    let seconds = Math.floor(t / 1e3);
    let nanoseconds = Math.floor((t % 1e3) * 1e6);
    if (since) {
      seconds -= since[0];
      nanoseconds -= since[1];
      if (nanoseconds < 0) {
        seconds -= 1;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  };
  hrtime.bigint = () => BigInt(Math.round(host.now() * 1e6));
  const process = {
    env: Object.freeze({ __proto__: null, ...host.env }),
    argv: Object.freeze([]),
    versions: Object.freeze({}),
    version: "",
    platform: "linux",
    cwd: () => "/",
    uptime: () => host.now() / 1e3,
    hrtime,
    nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
    emitWarning: (warning) => console.warn(warning),
  };
  return { process, performance };
})
