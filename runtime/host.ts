/** The runtime's entry: the globals of Node.js, `require`, and the run of the bundle's entry. */
import type { BundleFile, Loader } from "../native/loader-parts.ts";
import type { Addon } from "../native/system.ts";
import { addLocale } from "./locale.ts";
import { onSettled, onUncaught, runLoop } from "./loop.ts";
import { Buffer } from "./modules/buffer.ts";
import { readFileSync } from "./modules/fs.ts";
import { performance, process, uncaught } from "./modules/process.ts";
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
  /** Returns names and values in turns, separated by NUL. */
  readonly environment: () => string | undefined;
  /** Returns an addon by the part of its name behind the platform's. */
  readonly addon: (name: string) => object | undefined;
  /** Starts a thread for SIGPIPE and SIGXFSZ of other processes, as Node.js has some. */
  readonly takeSignalsOfWrites: () => void;
  /** Returns the path of the monitor's file in memory; undefined if the system allows none. */
  readonly monitorFile: () => string | undefined;
  readonly onRejection: (listener: (promise: object, reason: unknown, isHandled: boolean) => void) => void;
  readonly ignoredSignals: readonly number[];
  readonly streams: readonly number[];
  readonly descriptors: readonly number[];
  /** Names of the files that the image holds, in a process that makes it. */
  readonly imageFiles: readonly string[];
  readonly evaluate?: (text: string, file: string) => unknown;
}

/** Defined by the build: the bundle's entry; undefined in the shell for tests. */
declare const SOPHIA_RUN_PROGRAM: string | undefined;
const native = natives<Natives>();
const loaded = new Map<string, object>();

/** Returns a module of Node.js, which is the file of its name in modules/. */
function builtin(name: string): object {
  if (/^(?:node:)?process$/.test(name)) return process;
  const file = name.replace(/^node:/, "").replaceAll(/[/_]/g, "-");
  return native.require(`./runtime-${file}.cjs`);
}

/** Modules that this file loads when they are needed. */
interface Lazy {
  readonly "deep-json": typeof import("./modules/deep-json.ts");
  readonly "descriptor-stream": typeof import("./modules/descriptor-stream.ts");
  readonly tls: typeof import("./modules/tls.ts");
  readonly tty: typeof import("./modules/tty.ts");
}

function lazy<Name extends keyof Lazy>(name: Name): Lazy[Name] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module of this name
  return builtin(name) as Lazy[Name];
}

function lookUp(name: string): unknown {
  if (!name.startsWith("./")) return builtin(name);
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const file = native.load(name);
  if (file === undefined) throw new Error(`no file ${name}`);
  const exports = {};
  loaded.set(name, exports);
  file(exports, lookUp, "", name, loader);
  return exports;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/system.c defines these, and is built with this file
const addon = native.addon("") as Addon;

let boot: (() => void) | undefined;

const loader: Loader = {
  addon: {
    ...addon,
    // It keeps bytes that are not UTF-8.
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
  onStart: (given) => {
    boot = given;
  },
  contextTrusting: (texts) => lazy("tls").contextTrusting(texts),
  limitTurns,
  nativeFile: (name) => (name === "-monitor" ? native.monitorFile() : undefined),
  openAddon: (name) => (name === "-masking" ? { ...native.addon(name), startWatching, watch } : native.addon(name)),
  hasCodeToCache: () => false,
  cacheCode: () => {},
};

/** Promises that were rejected in this turn, with their reasons. */
const rejected = new Map<object, unknown>();

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

const parseByEngine = JSON.parse;

/** JSON.parse for texts of any depth. */
function parse(text: string, reviver?: Reviver): unknown {
  try {
    return parseByEngine(text, reviver);
  } catch (error) {
    // The engine's error of a stack that is too small.
    if (!(error instanceof RangeError) || reviver !== undefined) throw error;
    return lazy("deep-json").parseDeep(text, parseByEngine);
  }
}

/** Prepares all that does not depend on the process, and loads the image's files. */
function prepare(): void {
  JSON.parse = parse;
  addLocale();
  // The engine's would give each process with this image the same numbers.
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
  // Libraries ask for their width; the bundle writes to the descriptors.
  for (const [name, fd] of [
    ["stdout", 1],
    ["stderr", 2],
  ] as const) {
    Object.defineProperty(process, name, { configurable: true, get: () => openStandardOutput(name, fd) });
  }
  // Modules that few starts need.
  for (const [name, module] of Object.entries(LAZY)) {
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
  onUncaught(uncaught);
  onSettled(reportRejections);
  native.onRejection((promise, reason, isHandled) => {
    if (isHandled) rejected.delete(promise);
    else rejected.set(promise, reason);
  });
  for (const name of native.imageFiles) {
    try {
      if (name.startsWith("./runtime-")) native.require(name);
      else lookUp(name);
    } catch (error) {
      // The engine's error has no name of a file.
      throw new Error(`${name}, or a module that it imports: ${String(error)}`, { cause: error });
    }
  }
}

/** Runs the bundle's entry. */
export function start(): void {
  process.begin();
  for (const signal of native.ignoredSignals) addon.ignoreOnExec(signal);
  if (typeof SOPHIA_RUN_PROGRAM === "undefined") runScript();
  else {
    lookUp(SOPHIA_RUN_PROGRAM);
    boot?.();
  }
  runLoop();
  process.end();
}

/** Opens process.stdout or process.stderr at its first use: streams look at both for each message that they pass on. */
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
  // Node.js takes an empty one for none.
  if (!process.env["NODE_CHANNEL_FD"]) return undefined;
  return new Map(
    CHANNEL_VARIABLES.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Globals that are defined by a module. */
const LAZY: Readonly<Record<string, string>> = {
  AbortController: "abort",
  AbortSignal: "abort",
  TextDecoder: "util",
  TextEncoder: "util",
  URL: "url",
  URLSearchParams: "url",
  console: "console",
};

function reportRejections(): boolean {
  if (rejected.size === 0) return false;
  const reasons = Array.from(rejected.values());
  rejected.clear();
  for (const reason of reasons) uncaught(reason);
  return true;
}

function nextPromise(callback: () => void): void {
  // oxlint-disable-next-line promise/no-callback-in-promise -- an error of it is a rejection, which is reported
  void Promise.resolve().then(callback);
}

/** Runs the file of the first argument as a CommonJS module, for tests of this runtime. */
function runScript(): void {
  process.argv.splice(1, 1);
  const [, file = ""] = process.argv;
  const whole = `(function(require,module,exports,__filename){${String(readFileSync(file, "utf8"))}\n})`;
  const run = native.evaluate?.(whole, file);
  const module = { exports: {} };
  if (typeof run === "function") run(builtin, module, module.exports, file);
}

prepare();
