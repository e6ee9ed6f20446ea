/**
 * The entry of the executable's runtime, which stands in for Node.js. It defines the globals of Node.js and `require`, and runs the
 * bundle, which is the JavaScript of sophia-run.
 *
 * `prepare` runs when this file is loaded. That may be in the process that builds the executable, whose memory becomes a part of
 * the executable. So `prepare` must not read anything that differs between processes. runtime/native/main.c calls `start` in each
 * process.
 */
import type { BundleFile, Loader } from "../native/loader-parts.ts";
import type { Addon } from "../native/system.ts";
import { addLocale } from "./locale.ts";
import { onSettled, onUncaught, runLoop } from "./loop.ts";
import { Buffer } from "./modules/buffer.ts";
import { readFileSync } from "./modules/fs.ts";
import { handleUncaught, performance, process } from "./modules/process.ts";
import * as timers from "./modules/timers.ts";
import { natives } from "./native.ts";
import { RANDOM_LIMIT, randomNumber } from "./random.ts";
import { limitTurns } from "./modules/turns.ts";
import { startWatching, watch } from "./watching.ts";

interface Natives {
  /** Returns the function into which the build puts a file of the bundle; undefined if there is no such file. */
  readonly load: (name: string) => BundleFile | undefined;
  /** Returns the exports of a file of this runtime. @throws an error with the code MODULE_NOT_FOUND */
  readonly require: (name: string) => object;
  /** Returns the environment, alternately a name and a value, each followed by NUL; undefined if it is empty. */
  readonly environment: () => string | undefined;
  /** Returns an addon by the end of its name, such as "-masking", or "" for the addon that every start needs. */
  readonly addon: (name: string) => object | undefined;
  /** Starts a thread that receives SIGPIPE and SIGXFSZ if other processes send them. In Node.js, its own threads receive them. */
  readonly takeSignalsOfWrites: () => void;
  /** Returns the path of the monitor's program, a file in memory (memfd_create(2)); undefined if the system allows no such file. */
  readonly monitorFile: () => string | undefined;
  /** Sets the function that is called when a promise is rejected, and again when the rejection is handled later. */
  readonly onRejection: (listener: (promise: object, reason: unknown, isHandled: boolean) => void) => void;
  /** The signals that the caller ignores. */
  readonly ignoredSignals: readonly number[];
  /** The standard streams that the caller has opened. */
  readonly streams: readonly number[];
  /** The further descriptors that the caller has opened. */
  readonly descriptors: readonly number[];
  /** The names of the files that the image holds, in the process of the build that makes the image; otherwise none. */
  readonly imageFiles: readonly string[];
  /** Evaluates a script. Only the shell for tests has this function. */
  readonly evaluate?: (text: string, file: string) => unknown;
}

/** The name of the bundle's entry, which the build defines; undefined in the shell for tests. */
declare const SOPHIA_RUN_PROGRAM: string | undefined;

const native = natives<Natives>();
/** The exports of the loaded files of the bundle. */
const loadedFiles = new Map<string, object>();

/** Returns a module of Node.js by a name such as "node:fs" or "fs". It is the file of its name in modules/. */
function builtin(name: string): object {
  if (/^(?:node:)?process$/.test(name)) return process;
  const file = name.replace(/^node:/, "").replaceAll(/[/_]/g, "-");
  return native.require(`./runtime-${file}.cjs`);
}

/** The modules that this file loads only when they are needed, because most starts do not need them. */
interface LazyModules {
  readonly "deep-json": typeof import("./modules/deep-json.ts");
  readonly "descriptor-stream": typeof import("./modules/descriptor-stream.ts");
  readonly tls: typeof import("./modules/tls.ts");
  readonly tty: typeof import("./modules/tty.ts");
}

function lazy<Name extends keyof LazyModules>(name: Name): LazyModules[Name] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the module of this name
  return builtin(name) as LazyModules[Name];
}

/** The `require` of the bundle: returns a file of the bundle, whose name begins with "./", or a module of Node.js. */
function requireFile(name: string): unknown {
  if (!name.startsWith("./")) return builtin(name);
  const loadedExports = loadedFiles.get(name);
  if (loadedExports !== undefined) return loadedExports;
  const file = native.load(name);
  if (file === undefined) throw new Error(`no file ${name}`);
  const exports = {};
  // The exports are stored before the call, because files of the bundle may require each other.
  loadedFiles.set(name, exports);
  file(exports, requireFile, "", name, loader);
  return exports;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/system.c defines these, and is built with this file
const addon = native.addon("") as Addon;

/** Runs sophia-run. The bundle's entry sets this function while it is loaded. */
let boot: (() => void) | undefined;

/** The functions and values that the loader of the npm package gives to the bundle (native/loader-parts.ts), for this runtime. */
const loader: Loader = {
  addon: {
    ...addon,
    // The addon's own function would lose bytes that are not UTF-8.
    environment: native.environment,
    blockOwnWrites: (blocks) => {
      native.takeSignalsOfWrites();
      addon.blockOwnWrites(blocks);
    },
    // There is nothing to restore, since this runtime does not change how signals are handled at its start.
    restoreDefault: () => {},
  },
  get caller() {
    return { descriptors: native.descriptors, streams: native.streams, ignored: native.ignoredSignals };
  },
  get channel() {
    return channelVariables();
  },
  onStart: (bootProgram) => {
    boot = bootProgram;
  },
  contextTrusting: (texts) => lazy("tls").contextTrusting(texts),
  limitTurns,
  nativeFile: (name) => (name === "-monitor" ? native.monitorFile() : undefined),
  openAddon: (name) => (name === "-masking" ? { ...native.addon(name), startWatching, watch } : native.addon(name)),
  hasCodeToCache: () => false,
  cacheCode: () => {},
};

/** The promises that were rejected during this callback and have no handler, with their reasons. */
const unhandledRejections = new Map<object, unknown>();

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

const parseByEngine = JSON.parse;

/** Parses JSON of any depth. It replaces JSON.parse. */
function parseJson(text: string, reviver?: Reviver): unknown {
  try {
    return parseByEngine(text, reviver);
  } catch (error) {
    // The engine throws a RangeError if the JSON is too deep for its stack.
    if (!(error instanceof RangeError) || reviver !== undefined) throw error;
    return lazy("deep-json").parseDeep(text, parseByEngine);
  }
}

/** Defines the globals, and loads the files whose memory becomes a part of the executable. */
function prepare(): void {
  JSON.parse = parseJson;
  addLocale();
  // The engine's own function would return the same numbers in each process that starts with this memory.
  Math.random = () => randomNumber() / RANDOM_LIMIT;
  Object.assign(globalThis, {
    global: globalThis,
    process,
    performance,
    Buffer,
    ...timers,
    queueMicrotask: (callback: () => void) => runAsPromise(callback),
  });
  Object.assign(process, { getBuiltinModule: builtin });
  Object.defineProperty(process, "stdin", { configurable: true, get: openStandardInput });
  // Libraries read the width of these streams. sophia-run's code writes to the descriptors instead.
  for (const [name, fd] of [
    ["stdout", 1],
    ["stderr", 2],
  ] as const) {
    Object.defineProperty(process, name, { configurable: true, get: () => openStandardOutput(name, fd) });
  }
  for (const [name, module] of Object.entries(LAZY_GLOBALS)) defineLazyGlobal(name, module);
  onUncaught(handleUncaught);
  onSettled(reportRejections);
  native.onRejection((promise, reason, isHandled) => {
    if (isHandled) unhandledRejections.delete(promise);
    else unhandledRejections.set(promise, reason);
  });
  for (const name of native.imageFiles) {
    try {
      if (name.startsWith("./runtime-")) native.require(name);
      else requireFile(name);
    } catch (error) {
      // The error of the engine does not name the file.
      throw new Error(`${name}, or a module that it imports: ${String(error)}`, { cause: error });
    }
  }
}

/** Defines a global that loads its module at its first use. */
function defineLazyGlobal(name: string, module: string): void {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: false,
    get: () => {
      const value: unknown = Reflect.get(builtin(module), name);
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
      return value;
    },
    set: (value: unknown): void => {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    },
  });
}

/** Runs the bundle, and then the event loop until nothing keeps it alive. Ends the process. */
export function start(): void {
  process.begin();
  for (const signal of native.ignoredSignals) addon.ignoreOnExec(signal);
  if (typeof SOPHIA_RUN_PROGRAM === "undefined") runScript();
  else {
    requireFile(SOPHIA_RUN_PROGRAM);
    boot?.();
  }
  runLoop();
  process.end();
}

/**
 * Opens process.stdout or process.stderr at its first use. Stores the stream in the property, because `pipe` of readable-stream
 * compares its destination with both at each call.
 */
function openStandardOutput(name: string, fd: number): object {
  const { isatty, WriteStream } = lazy("tty");
  const value = isatty(fd) ? new WriteStream(fd) : { fd };
  Object.defineProperty(process, name, { value, configurable: true });
  return value;
}

/** Opens process.stdin at its first use. */
function openStandardInput(): unknown {
  const { DescriptorStream } = lazy("descriptor-stream");
  const value = new DescriptorStream(0, { readable: true, isSocket: false });
  Object.defineProperty(process, "stdin", { value, configurable: true });
  return value;
}

/**
 * The variables by which a parent process in Node.js passes on the descriptor of its IPC channel, and the format of the messages.
 */
const CHANNEL_VARIABLES = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"];

/** Returns the variables of the IPC channel to the parent process. This process does not use the channel, but the program may. */
function channelVariables(): ReadonlyMap<string, string> | undefined {
  // To Node.js, an empty variable means that there is no channel.
  if (!process.env["NODE_CHANNEL_FD"]) return undefined;
  return new Map(
    CHANNEL_VARIABLES.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The globals that few starts need, and the modules that define them. */
const LAZY_GLOBALS: Readonly<Record<string, string>> = {
  AbortController: "abort",
  AbortSignal: "abort",
  TextDecoder: "util",
  TextEncoder: "util",
  URL: "url",
  URLSearchParams: "url",
  console: "console",
};

/** Reports the rejected promises that have no handler. @returns true if there were any */
function reportRejections(): boolean {
  if (unhandledRejections.size === 0) return false;
  const reasons = Array.from(unhandledRejections.values());
  unhandledRejections.clear();
  for (const reason of reasons) handleUncaught(reason);
  return true;
}

/** Calls back as a settled promise does, after the callbacks of process.nextTick. */
function runAsPromise(callback: () => void): void {
  // oxlint-disable-next-line promise/no-callback-in-promise -- its error is a rejection, which is reported
  void Promise.resolve().then(callback);
}

/** Runs the file that the first argument names as a CommonJS module. Only the shell for tests does that. */
function runScript(): void {
  process.argv.splice(1, 1);
  const [, file = ""] = process.argv;
  const source = `(function(require,module,exports,__filename){${String(readFileSync(file, "utf8"))}\n})`;
  const run = native.evaluate?.(source, file);
  const module = { exports: {} };
  if (typeof run === "function") run(builtin, module, module.exports, file);
}

prepare();
