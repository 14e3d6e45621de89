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
  const { bind } = AsyncLocalStorage;
  const ticks = [];
  let due = false;
  const drain = () => {
    due = false;
    while (ticks.length > 0) {
      const tick = ticks.shift();
      due = true; // what is added now is run now
      try {
        tick();
      } catch (e) {
        Promise.reject(e);
      }
      due = false;
    }
  };
  function nextTick(callback, ...args) {
    if (typeof callback !== "function") {
      const e = new TypeError(`The "callback" argument must be of type function. Received ${callback === null ? "null" : typeof callback}`);
      throw Object.assign(e, { code: "ERR_INVALID_ARG_TYPE" });
    }
    ticks.push(bind(() => callback(...args)));
    if (due) return;
    due = true;
    host.tick(drain);
  }
  const unavailable = (name, instead) => {
    const f = () => {
      const e = new Error(`process.${name}() is not available: a component shares the service's process. ${instead}`);
      throw Object.assign(e, { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
    };
    Object.defineProperty(f, "name", { value: name });
    return f;
  };
  const end = "Return from the function to end it, or throw an error to fail it";
  // Nothing happens to the process that a component could hear of.
  const listening = Object.fromEntries(
    ["on", "once", "off", "addListener", "prependListener", "prependOnceListener", "removeListener", "removeAllListeners", "setMaxListeners"].map((name) => [
      name, () => process,
    ])
  );
  const output = (level) => ({
    isTTY: false,
    fd: level === "log" ? 1 : 2,
    write(text) {
      console[level](String(text).replace(/\n$/, ""));
      return true;
    },
  });
  const process = {
    env: Object.freeze({ __proto__: null, ...host.env }),
    argv: Object.freeze([]),
    versions: Object.freeze({}),
    version: "",
    platform: "linux",
    cwd: () => "/",
    uptime: () => host.now() / 1e3,
    hrtime,
    nextTick,
    exit: unavailable("exit", end),
    reallyExit: unavailable("reallyExit", end),
    abort: unavailable("abort", end),
    kill: unavailable("kill", "It runs no processes"),
    chdir: unavailable("chdir", "It has no files"),
    exitCode: undefined,
    title: "node",
    arch: "x64",
    pid: 1,
    ppid: 0,
    execPath: "",
    execArgv: Object.freeze([]),
    stdout: output("log"),
    stderr: output("error"),
    listeners: () => [],
    listenerCount: () => 0,
    emit: () => false,
    ...listening,
    emitWarning: (warning) => console.warn(warning),
  };
  // By which packages tell Node (axios).
  Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });
  return { process, performance };
})
