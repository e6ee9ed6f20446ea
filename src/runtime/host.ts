/** The runtime's entry: the globals of Node.js, `require`, and the run of the bundle's entry. */
import type { BundleFile, Loader } from "../system/addon/addon.ts";
import type { Addon } from "../system/addon/libc.ts";
import { addLocale } from "./locale.ts";
import { onSettled, onUncaught, runLoop } from "./loop.ts";
import { Buffer } from "./modules/buffer.ts";
import { readFileSync } from "./modules/fs.ts";
import { process, uncaught } from "./modules/process.ts";
import * as timers from "./modules/timers.ts";
import { natives } from "./native.ts";
import { startWatching, watch } from "./watching.ts";

interface Natives {
  /** Returns the function of a file of the bundle; undefined if there is none. */
  readonly load: (name: string) => BundleFile | undefined;
  /** Returns the exports of a file of this runtime. @throws an error with the code MODULE_NOT_FOUND */
  readonly require: (name: string) => object;
  /** Returns an addon by the part of its name behind the platform's. */
  readonly addon: (name: string) => object | undefined;
  /** Starts a thread for SIGPIPE and SIGXFSZ of other processes, as Node.js has some. */
  readonly takeSignalsOfWrites: () => void;
  /** Returns the path of the monitor's file in memory; undefined if the system allows none. */
  readonly monitorFile: () => string | undefined;
  readonly onRejection: (listener: (promise: object, reason: unknown, isHandled: boolean) => void) => void;
  readonly environment: readonly string[];
  readonly ignoredSignals: readonly number[];
  readonly streams: readonly number[];
  readonly descriptors: readonly number[];
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

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
const addon = native.addon("") as Addon;
for (const signal of native.ignoredSignals) addon.ignoreOnExec(signal);

const loader: Loader = {
  addon: {
    ...addon,
    blockOwnWrites: (blocks) => {
      native.takeSignalsOfWrites();
      addon.blockOwnWrites(blocks);
    },
    environment: () => native.environment.join("\0"),
    restoreDefault: () => {},
  },
  caller: { descriptors: native.descriptors, streams: native.streams, ignored: native.ignoredSignals },
  nativeFile: (name) => (name === "-monitor" ? native.monitorFile() : undefined),
  openAddon: (name) => (name === "-redact" ? { ...native.addon(name), startWatching, watch } : native.addon(name)),
  hasCodeToCache: () => false,
  cacheCode: () => {},
};

/** Promises that were rejected in this turn, with their reasons. */
const rejected = new Map<object, unknown>();

function start(): void {
  addLocale();
  Object.assign(globalThis, {
    global: globalThis,
    process,
    Buffer,
    ...timers,
    queueMicrotask: (callback: () => void) => nextPromise(callback),
  });
  Object.assign(process, { getBuiltinModule: builtin });
  Object.assign(native, { builtin });
  Object.defineProperty(process, "stdin", { configurable: true, get: openStandardInput });
  // Libraries ask for their width; the bundle writes to the descriptors.
  for (const [name, fd] of [
    ["stdout", 1],
    ["stderr", 2],
  ] as const) {
    Object.defineProperty(process, name, { configurable: true, get: () => standardOutput(fd) });
  }
  if (process.env["NODE_CHANNEL_FD"] !== undefined) openParentChannel();
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
  if (typeof SOPHIA_RUN_PROGRAM === "undefined") runScript();
  else lookUp(SOPHIA_RUN_PROGRAM);
  runLoop();
  process.end();
}

function standardOutput(fd: number): object {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module of this name
  const { isatty, WriteStream } = builtin("tty") as typeof import("./modules/tty.ts");
  return isatty(fd) ? new WriteStream(fd) : { fd };
}

/** Opens process.stdin at its first use. */
function openStandardInput(): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module of this name
  const { DescriptorStream } = builtin("descriptor-stream") as typeof import("./modules/descriptor-stream.ts");
  const value = new DescriptorStream(0, { readable: true, isSocket: false });
  Object.defineProperty(process, "stdin", { value, configurable: true });
  return value;
}

/** Opens the IPC channel of a parent in Node.js, whose variables are not those of the program. */
function openParentChannel(): void {
  const { NODE_CHANNEL_FD = "", NODE_CHANNEL_SERIALIZATION_MODE } = process.env;
  delete process.env["NODE_CHANNEL_FD"];
  delete process.env["NODE_CHANNEL_SERIALIZATION_MODE"];
  const serialization = NODE_CHANNEL_SERIALIZATION_MODE === "advanced" ? "advanced" : "json";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the module of this name
  const channel = builtin("channel") as typeof import("./modules/channel.ts");
  channel.openParentChannel(Number(NODE_CHANNEL_FD), serialization);
}

/** Globals that are defined by a module. */
const LAZY: Readonly<Record<string, string>> = {
  AbortController: "abort",
  AbortSignal: "abort",
  Event: "abort",
  EventTarget: "abort",
  Intl: "intl",
  TextDecoder: "util",
  TextEncoder: "util",
  URL: "url",
  URLSearchParams: "url",
  console: "console",
};

function reportRejections(): boolean {
  const reasons = Array.from(rejected.values());
  rejected.clear();
  for (const reason of reasons) uncaught(reason);
  return reasons.length > 0;
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

start();
