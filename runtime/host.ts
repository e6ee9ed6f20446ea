/**
 * The entry of the runtime: defines the globals of Node.js and `require`, and runs the bundle.
 *
 * `prepare` runs when this file is loaded, which may be in the process that builds the executable; it must not depend on the
 * process. C calls `start` in each process (runtime/native/main.c).
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
  /** Returns the function of a file of the bundle; undefined if there is none. */
  readonly load: (name: string) => BundleFile | undefined;
  /** Returns the exports of a file of this runtime. @throws an error with the code MODULE_NOT_FOUND */
  readonly require: (name: string) => object;
  /** Returns names and values in turn, separated by null bytes; undefined without variables. */
  readonly environment: () => string | undefined;
  /** Returns an addon by the end of its name, such as "-masking"; "" for the addon that each start needs. */
  readonly addon: (name: string) => object | undefined;
  /** Starts a thread that takes SIGPIPE and SIGXFSZ from other processes, which threads of Node.js take there. */
  readonly takeSignalsOfWrites: () => void;
  /** Returns the path of the monitor, a file in memory; undefined if the system allows no such file. */
  readonly monitorFile: () => string | undefined;
  readonly onRejection: (listener: (promise: object, reason: unknown, isHandled: boolean) => void) => void;
  readonly ignoredSignals: readonly number[];
  readonly streams: readonly number[];
  readonly descriptors: readonly number[];
  /** The names of the files that the image holds, in the process of the build that makes the image; otherwise none. */
  readonly imageFiles: readonly string[];
  /** Is only in the shell for tests. */
  readonly evaluate?: (text: string, file: string) => unknown;
}

/** The name of the bundle's entry, which the build defines; undefined in the shell for tests. */
declare const SOPHIA_RUN_PROGRAM: string | undefined;
const native = natives<Natives>();
/** The exports of the files of the bundle that are loaded. */
const loadedFiles = new Map<string, object>();

/** Returns a module of Node.js by a name such as "node:fs" or "fs". It is the file of its name in modules/. */
function builtin(name: string): object {
  if (/^(?:node:)?process$/.test(name)) return process;
  const file = name.replace(/^node:/, "").replaceAll(/[/_]/g, "-");
  return native.require(`./runtime-${file}.cjs`);
}

/** The modules that this file loads only when they are needed. */
interface LazyModules {
  readonly "deep-json": typeof import("./modules/deep-json.ts");
  readonly "descriptor-stream": typeof import("./modules/descriptor-stream.ts");
  readonly tls: typeof import("./modules/tls.ts");
  readonly tty: typeof import("./modules/tty.ts");
}

function lazy<Name extends keyof LazyModules>(name: Name): LazyModules[Name] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module of this name
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
  // The entry comes before the call, because files of the bundle may require each other.
  loadedFiles.set(name, exports);
  file(exports, requireFile, "", name, loader);
  return exports;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/system.c defines these, and is built with this file
const addon = native.addon("") as Addon;

/** Starts the program of the bundle. Its entry sets it while it is loaded. */
let boot: (() => void) | undefined;

/** The functions and values that the loader of the npm package gives to the bundle (native/loader-parts.ts), for this runtime. */
const loader: Loader = {
  addon: {
    ...addon,
    // This runtime's keeps bytes that are not UTF-8.
    environment: native.environment,
    blockOwnWrites: (blocks) => {
      native.takeSignalsOfWrites();
      addon.blockOwnWrites(blocks);
    },
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

/** Promises that were rejected in this turn of the event loop and are not handled, with their reasons. */
const unhandledRejections = new Map<object, unknown>();

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

const parseByEngine = JSON.parse;

/** JSON.parse for texts of any depth. */
function parseJson(text: string, reviver?: Reviver): unknown {
  try {
    return parseByEngine(text, reviver);
  } catch (error) {
    // The engine throws a RangeError if the text needs more stack than there is.
    if (!(error instanceof RangeError) || reviver !== undefined) throw error;
    return lazy("deep-json").parseDeep(text, parseByEngine);
  }
}

/** Prepares everything that does not depend on the process, and loads the files of the image. */
function prepare(): void {
  JSON.parse = parseJson;
  addLocale();
  // The engine's own function would give each process with this image the same numbers.
  Math.random = () => randomNumber() / RANDOM_LIMIT;
  Object.assign(globalThis, {
    global: globalThis,
    process,
    performance,
    Buffer,
    ...timers,
    queueMicrotask: (callback: () => void) => nextPromise(callback),
  });
  Object.assign(process, { getBuiltinModule: builtin });
  Object.defineProperty(process, "stdin", { configurable: true, get: openStandardInput });
  // Libraries ask these streams for their width. The bundle itself writes to the descriptors.
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

/** Opens process.stdout or process.stderr at its first use, and keeps it, because streams look at both for each message. */
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

/** The variables by which a parent in Node.js names the descriptor of its IPC channel, and the format of the messages. */
const CHANNEL_VARIABLES = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"];

/** Returns the variables of the IPC channel to the parent. This process leaves the channel to the program. */
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

function reportRejections(): boolean {
  if (unhandledRejections.size === 0) return false;
  const reasons = Array.from(unhandledRejections.values());
  unhandledRejections.clear();
  for (const reason of reasons) handleUncaught(reason);
  return true;
}

function nextPromise(callback: () => void): void {
  // oxlint-disable-next-line promise/no-callback-in-promise -- an error of it is a rejection, which is reported
  void Promise.resolve().then(callback);
}

/** In the shell for tests: runs the file of the first argument as a CommonJS module. */
function runScript(): void {
  process.argv.splice(1, 1);
  const [, file = ""] = process.argv;
  const source = `(function(require,module,exports,__filename){${String(readFileSync(file, "utf8"))}\n})`;
  const run = native.evaluate?.(source, file);
  const module = { exports: {} };
  if (typeof run === "function") run(builtin, module, module.exports, file);
}

prepare();
