// Logs what event emitters, signals and streams do. Node.js and the executable's runtime both run it.
const { Buffer: SameBuffer } = require("node:buffer");
const { EventEmitter, once, setMaxListeners } = require("node:events");
const { writeSync } = require("node:fs");
const { Duplex, finished, Readable } = require("node:stream");
const { promisify, styleText } = require("node:util");

const writableOnly = (options) => new Duplex({ readable: false, ...options });
const passing = () =>
  new Duplex({
    read() {},
    write(chunk, encoding, done) {
      this.push(chunk);
      done();
    },
    final(done) {
      this.push(null);
      done();
    },
  });
const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);
const fields = (error) => [error.name, error.code, error.message, error instanceof Error];
const attempt = (call) => {
  try {
    return call();
  } catch (error) {
    return fields(error);
  }
};
const tick = () => new Promise((resolve) => setImmediate(resolve));

function watched(stream, name) {
  for (const event of ["data", "end", "finish", "close", "error", "drain", "pipe", "unpipe", "prefinish"]) {
    if (event === "data") continue;
    stream.on(event, (value) => log(name, event, value instanceof Error ? fields(value) : typeof value));
  }
  return stream;
}

const PARTS = {
  emitter() {
    const emitter = new EventEmitter();
    emitter.on("newListener", (name, listener) => log("newListener", name, listener.name));
    const nameOf = ({ name }) => (["first", "named", "second"].includes(name) ? name : "call");
    emitter.on("removeListener", (name, listener) => log("removeListener", name, nameOf(listener)));
    const first = (...values) => log("first", ...values);
    const second = () => log("second");
    emitter
      .on("x", first)
      .once("x", second)
      .prependListener("x", () => log("zeroth"));
    emitter.once("x", function named() {
      log("once", this === emitter);
      emitter.off("x", first);
      emitter.on("x", () => log("late"));
    });
    log(emitter.eventNames(), emitter.listenerCount("x"), emitter.listeners("x").length);
    log(emitter.emit("x", 1, 2), emitter.emit("x"), emitter.emit("y"));
    emitter.on("twice", first).on("twice", first).off("twice", first);
    log(emitter.listenerCount("twice"));
    log(attempt(() => emitter.emit("error", new TypeError("known"))));
    log(attempt(() => emitter.emit("error", "a text")));
    log(attempt(() => emitter.on("x", 5)));
    emitter.removeAllListeners("x");
    log(emitter.eventNames().map(String));
    emitter.removeAllListeners();
    log(emitter.eventNames());
    class Own extends EventEmitter {}
    const own = new Own();
    log(
      own instanceof EventEmitter,
      EventEmitter.EventEmitter === EventEmitter,
      EventEmitter.name,
      own.constructor.name,
    );
    function Old() {
      EventEmitter.call(this);
    }
    Object.setPrototypeOf(Old.prototype, EventEmitter.prototype);
    new Old().on("x", () => log("old")).emit("x");
    const twin = (emit) => emit.emit("x") && emit.emit("x");
    own.once("x", () => twin(own));
    log(own.emit("x"));
  },
  async once() {
    const emitter = new EventEmitter();
    setImmediate(() => emitter.emit("x", 1, 2));
    log(await once(emitter, "x"), emitter.eventNames());
    setImmediate(() => emitter.emit("error", new Error("bad")));
    log(await once(emitter, "x").catch(fields), emitter.eventNames());
    setImmediate(() => emitter.emit("error", new Error("wanted")));
    log((await once(emitter, "error")).map(fields));
    const controller = new AbortController();
    const wait = once(emitter, "x", { signal: controller.signal }).catch(fields);
    controller.abort();
    log(await wait, emitter.eventNames());
    log(await once(emitter, "x", { signal: controller.signal }).catch(fields));
    const other = new AbortController();
    setImmediate(() => other.abort());
    log((await once(other.signal, "abort")).length);
  },
  async timers() {
    const order = [];
    const done = new Promise((resolve) => {
      setTimeout(() => {
        order.push("first");
        second.refresh();
        setImmediate(() => order.push("immediate"));
      }, 1);
      const second = setTimeout(() => resolve(order.push("second")), 20);
    });
    // Both timers are due when the event loop checks them, until the first timer refreshes the second.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    await done;
    log(order);
  },
  async signals() {
    const controller = new AbortController();
    const { signal } = controller;
    setMaxListeners(0, signal);
    log(signal.aborted, signal.reason ?? null, signal instanceof AbortSignal);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the test is about the property
    signal.onabort = () => log("property");
    signal.addEventListener("abort", (event) => log("listener", event.type, event.target === signal), { once: true });
    const removed = () => log("never");
    signal.addEventListener("abort", removed);
    signal.addEventListener("abort", { handleEvent: () => log("object") });
    signal.removeEventListener("abort", removed);
    controller.abort();
    controller.abort("again");
    log(signal.aborted, fields(signal.reason), signal.reason.code);
    log(AbortSignal.abort("why").reason, fields(AbortSignal.abort().reason));
    const source = new AbortController();
    const any = AbortSignal.any([source.signal, new AbortController().signal]);
    source.abort(7);
    log(any.aborted, any.reason, AbortSignal.any([any]).reason);
    const timeout = AbortSignal.timeout(1);
    const keep = setTimeout(() => {}, 1000);
    await once(timeout, "abort");
    clearTimeout(keep);
    log(
      fields(timeout.reason),
      attempt(() => new AbortSignal()),
    );
  },
  async readable() {
    const stream = watched(new Readable({ read() {}, highWaterMark: 4 }), "readable");
    log(
      stream.push("abc"),
      stream.push("de"),
      stream.readableLength,
      stream.readableFlowing,
      stream.readableHighWaterMark,
    );
    stream.on("readable", () => {
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) log("chunk", chunk.toString());
    });
    await tick();
    stream.push(null);
    await once(stream, "close");
    log(stream.readableEnded, stream.destroyed, stream.readable);
    const text = new Readable({ read() {} }).setEncoding("utf8");
    text.push(Buffer.from([0xe2, 0x82]));
    text.push(Buffer.from([0xac, 0x41]));
    text.push(null);
    for await (const part of text) log(part);
    const list = [];
    for await (const chunk of Readable.from(["a", Buffer.from("b"), 3]))
      list.push(chunk instanceof SameBuffer ? "buffer" : chunk);
    log(list, new Readable() instanceof EventEmitter);
    const broken = watched(
      new Readable({
        read() {
          this.destroy(new Error("broken"));
        },
      }),
      "broken",
    );
    broken.resume();
    await once(broken, "close").catch(() => {});
    const left = watched(Readable.from(["a", "b"]), "left");
    for await (const chunk of left) {
      log(chunk);
      break;
    }
    log(left.destroyed);
    const back = new Readable({ read() {} });
    back.push("tail");
    back.unshift("head");
    log(back.read(6).toString(), back.read()?.toString());
  },
  async writable() {
    const got = [];
    const stream = watched(
      writableOnly({
        highWaterMark: 3,
        write(chunk, encoding, done) {
          got.push(`${encoding}:${chunk.toString()}`);
          setImmediate(() => done());
        },
        final(done) {
          log("final");
          done();
        },
        destroy(error, done) {
          log("destroy", error?.message);
          done(error);
        },
      }),
      "writable",
    );
    log(
      stream.write("ab"),
      stream.write("cd", "latin1", () => log("written")),
      stream.writableLength,
      stream.writableNeedDrain,
    );
    stream.cork();
    stream.write("e");
    stream.uncork();
    stream.end("f", () => log("ended"));
    log(stream.writableEnded, stream.writableFinished);
    await promisify(finished)(stream);
    log(got, stream.writableFinished, stream.destroyed);
    stream.write("late", (error) => log(fields(error)));
    await tick();
    log(attempt(() => writableOnly({ write() {} }).write(null)));
    log(attempt(() => writableOnly({ write() {} }).write(5)).slice(0, 2));
    const vector = writableOnly({
      writev(chunks, done) {
        log(chunks.map(({ chunk }) => chunk.toString()));
        done();
      },
    });
    vector.cork();
    for (const letter of ["a", "b", "c"]) vector.write(letter);
    vector.uncork();
    await tick();
    const early = watched(
      writableOnly({
        write(chunk, encoding, done) {
          done(new Error("no"));
        },
      }),
      "early",
    );
    early.write("x", (error) => log("callback", error.message));
    await once(early, "close").catch(() => {});
  },
  async duplex() {
    const duplex = watched(
      new Duplex({
        allowHalfOpen: false,
        read() {},
        write(chunk, encoding, done) {
          this.push(chunk);
          done();
        },
      }),
      "duplex",
    );
    duplex.on("data", (chunk) => log("echo", chunk.toString()));
    duplex.write("one");
    duplex.push(null);
    await once(duplex, "close");
    const piped = watched(passing(), "piped");
    const source = watched(Readable.from(["1", "2"]), "source");
    source.pipe(piped).resume();
    await once(piped, "close");
    const early = passing();
    finished(early, (error) => log("finished", fields(error)));
    early.destroy();
    await tick();
    const paused = passing();
    paused.end("rest");
    log(paused.isPaused(), paused.readableFlowing, Readable.prototype.isPrototypeOf(paused));
    paused.pause();
    log(paused.isPaused());
    paused.resume();
    log((await once(paused, "data")).map(String));
  },
  async "caught signals"() {
    const [first, second] = ["first", "second"].map((name) => (signal) => log(name, signal));
    const alive = setInterval(() => {}, 10_000);
    process.on("SIGUSR2", first);
    const other = once(process, "SIGTERM");
    process.kill(process.pid, "SIGUSR2");
    process.kill(process.pid, "SIGTERM");
    // The signal is lost: a listener that is added later does not get it.
    process.off("SIGUSR2", first);
    process.on("SIGUSR2", second);
    log(await other);
    await tick();
    const own = once(process, "SIGUSR2");
    process.kill(process.pid, "SIGUSR2");
    log(await own);
    process.off("SIGUSR2", second);
    clearInterval(alive);
  },
  async util() {
    log(await promisify((one, two, done) => done(null, one + two))(1, 2));
    log(await promisify((done) => done(new Error("rejected")))().catch(fields));
    log(
      styleText("red", "a", { validateStream: false }),
      styleText(["bold", "underline"], "b", { validateStream: false }),
    );
    log((1234567.5).toLocaleString("en-US"), (-999).toLocaleString("en-US"));
  },
};

void (async () => {
  for (const [name, part] of Object.entries(PARTS)) {
    log("part", name);
    await part();
  }
  log("all");
})();
