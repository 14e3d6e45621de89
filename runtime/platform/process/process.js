// process, as far as portable code looks at it, and performance.
(function (host) {
  "use strict";

  class PerformanceEntry {
    #name;
    #type;
    #start;
    #duration;
    constructor(name, type, start, duration) {
      this.#name = name;
      this.#type = type;
      this.#start = start;
      this.#duration = duration;
    }
    get name() {
      return this.#name;
    }
    get entryType() {
      return this.#type;
    }
    get startTime() {
      return this.#start;
    }
    get duration() {
      return this.#duration;
    }
    toJSON() {
      return { name: this.name, entryType: this.entryType, startTime: this.startTime, duration: this.duration };
    }
  }
  class Detailed extends PerformanceEntry {
    #detail;
    constructor(name, type, start, duration, detail) {
      super(name, type, start, duration);
      this.#detail = detail == null ? null : structuredClone(detail);
    }
    get detail() {
      return this.#detail;
    }
    toJSON() {
      return { ...super.toJSON(), detail: this.detail };
    }
  }
  class PerformanceMark extends Detailed {
    constructor(name, options) {
      const start = options?.startTime ?? host.now();
      if (typeof start !== "number") throw fault(TypeError, "ERR_INVALID_ARG_TYPE", `The "options.startTime" property must be of type number. Received ${received(start)}`);
      if (start < 0) throw fault(TypeError, "ERR_PERFORMANCE_INVALID_TIMESTAMP", `${start} is not a valid timestamp`);
      super(`${name}`, "mark", start, 0, options?.detail);
    }
  }
  class PerformanceMeasure extends Detailed {}
  class Performance extends EventTarget {}
  const mostEntries = 10_000; // an execution may run for days
  let entries = [];
  const keep = (entry) => {
    entries.push(entry);
    if (entries.length > mostEntries) entries.shift();
    return entry;
  };
  const sorted = (list) => list.toSorted((a, b) => a.startTime - b.startTime);
  const timeOf = (mark) => {
    if (typeof mark === "number") return mark;
    const found = entries.findLast((entry) => entry.entryType === "mark" && entry.name === `${mark}`);
    if (!found) throw new DOMException(`The "${mark}" performance mark has not been set`, "SyntaxError");
    return found.startTime;
  };
  const clear = (type) => (name) => {
    entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== `${name}`));
  };
  const methods = {
    now: () => host.now(),
    toJSON: () => ({ timeOrigin: host.timeOrigin }),
    mark: (name, options) => keep(new PerformanceMark(name, options)),
    measure(name, from, to) {
      const options = typeof from === "object" && from !== null ? from : { start: from, end: to };
      const { start, end, duration, detail } = options;
      const until = end !== undefined ? timeOf(end) : start !== undefined && duration !== undefined ? timeOf(start) + duration : host.now();
      const since = start !== undefined ? timeOf(start) : end !== undefined && duration !== undefined ? until - duration : 0;
      return keep(new PerformanceMeasure(`${name}`, "measure", since, until - since, detail));
    },
    clearMarks: clear("mark"),
    clearMeasures: clear("measure"),
    clearResourceTimings: () => {},
    setResourceTimingBufferSize: () => {},
    getEntries: () => sorted(entries),
    getEntriesByName: (name, type) => sorted(entries.filter((entry) => entry.name === `${name}` && (type === undefined || entry.entryType === type))),
    getEntriesByType: (type) => sorted(entries.filter((entry) => entry.entryType === type)),
    timerify: (f) => f,
    eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(Performance.prototype, name, { value, writable: true, enumerable: true, configurable: true });
  Object.defineProperty(Performance.prototype, "timeOrigin", { value: host.timeOrigin, enumerable: true, configurable: true });
  Object.defineProperty(Performance.prototype, Symbol.toStringTag, { value: "Performance", configurable: true });
  const performance = new Performance();
  const hrtime = (since) => {
    if (since !== undefined && !Array.isArray(since)) throw wrongType("time", "an instance of Array", since);
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
      throw wrongType("callback", "of type function", callback);
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
  // An execution's own: what it writes there, as texts, only it finds.
  const environment = new Proxy(
    { ...host.env },
    {
      get: (env, name) => (typeof name === "string" && Object.hasOwn(env, name) ? env[name] : Object.prototype[name]),
      set(env, name, value) {
        env[`${name}`] = `${value}`;
        return true;
      },
      defineProperty(env, name, property) {
        if (!("value" in property && property.configurable && property.writable && property.enumerable)) {
          throw fault(TypeError, "ERR_INVALID_OBJECT_DEFINE_PROPERTY", "'process.env' only accepts a configurable, writable, and enumerable data descriptor");
        }
        env[`${name}`] = `${property.value}`;
        return true;
      },
    }
  );
  const output = (level) => ({
    isTTY: false,
    fd: level === "log" ? 1 : 2,
    write(text) {
      console[level](String(text).replace(/\n$/, ""));
      return true;
    },
  });
  const nodeVersion = "20.20.2";
  const process = {
    env: environment,
    argv: Object.freeze([]),
    // The Node that code is compared with: packages look whether it is young enough for them.
    versions: Object.freeze({ node: nodeVersion }),
    version: `v${nodeVersion}`,
    platform: "linux",
    cwd: () => "/",
    uptime: () => host.now() / 1e3,
    hrtime,
    nextTick,
    // What the process takes is the service's and all that run in it, so that nothing is told of it.
    memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), { rss: () => 0 }),
    release: Object.freeze({ name: "node" }),
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
  return { process, performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure };
})
