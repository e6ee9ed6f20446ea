/**
 * The base class of IncomingMessage: a stream with the body of a message. It is a Readable of the package readable-stream, with
 * faster code for the usual case, in which the chunks are emitted as they come, and then the end. The broker of sophia-run, a
 * proxy for requests to APIs, reads each message in this way.
 *
 * Each method takes the fast path only if the state of the stream allows it, and calls the method of Readable otherwise. The fast
 * path leaves the state exactly as Readable would, so that the two can alternate at any moment. The flags, and the order of the
 * events, are those of readable-stream/lib/internal/streams/readable.js.
 */
/* oxlint-disable no-underscore-dangle -- names of node:stream */
import { nextTick } from "../../loop.ts";
import { EventEmitter } from "../events.ts";
import { Readable } from "../stream.ts";

/** The part of a Readable's state that this file uses. */
interface ReadableState {
  /** The flags below. */
  state: number;
  flowing: boolean | null;
  highWaterMark: number;
  readonly length: number;
  readonly decoder: object | null;
  readonly errored: Error | null;
}

// The flags of `state`. Their bits are those of readable.js.
/** null was pushed: no chunk follows. */
const ENDED = 1 << 1;
const END_EMITTED = 1 << 2;
/** `_read` was called, and no chunk has been pushed since. */
const READING = 1 << 3;
/** `_read` is being called. A chunk must not be emitted before it has returned. */
const SYNC = 1 << 5;
/** The next chunk, or the end, must be followed by 'readable'. */
const NEED_READABLE = 1 << 6;
const EMITTED_READABLE = 1 << 7;
/** The stream has a listener for 'readable', which reads the chunks by itself. */
const READABLE_LISTENING = 1 << 8;
const RESUME_SCHEDULED = 1 << 9;
const DESTROYED = 1 << 13;
const CLOSED = 1 << 14;
const CLOSE_EMITTED = 1 << 15;
/** The stream is filling its buffer ahead of the reader, and must not begin that again. */
const READING_MORE = 1 << 17;
const DATA_EMITTED = 1 << 18;

// oxlint-disable-next-line typescript/unbound-method -- called with the stream
const { on: addListener } = EventEmitter.prototype;

/** A base class without the constructor of Readable, which takes five times as long as the constructor of its state. */
function ReadableWithoutState(): void {}
ReadableWithoutState.prototype = Readable.prototype;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the language calls a function with a prototype a class
const BaseClass = ReadableWithoutState as unknown as new () => Readable;

export class Body extends BaseClass {
  declare readonly _readableState: ReadableState;

  constructor(highWaterMark: number) {
    super();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the package has no type declarations
    const state = new Readable.ReadableState(undefined, this, false) as ReadableState;
    state.highWaterMark = highWaterMark;
    // The stream never reads ahead, because the parser pushes each chunk that comes.
    state.state |= READING_MORE;
    this._readableState = state;
  }

  /** The same as `readableEnded`, but faster. */
  get hasEnded(): boolean {
    return (this._readableState.state & END_EMITTED) !== 0;
  }

  /** True if the stream begins to flow in a later tick. */
  protected get isResuming(): boolean {
    return (this._readableState.state & RESUME_SCHEDULED) !== 0;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- a listener states the types of its event
  override on(event: string | symbol, listener: (...values: any[]) => void): this {
    // A listener for any other event has no effect on the stream.
    if (event === "data" || event === "readable") return super.on(event, listener);
    addListener.call(this, event, listener);
    return this;
  }

  /** Emits a chunk, or the end if it is null. @returns false if the parser should pause */
  override push(chunk: Uint8Array | null): boolean {
    const state = this._readableState;
    const isFlowing = state.flowing === true && state.length === 0 && state.decoder === null && state.errored === null;
    if (!isFlowing || (state.state & (ENDED | SYNC | DESTROYED)) !== 0) return super.push(chunk);
    // Nothing is buffered here, so the chunk or the end can be emitted without going through a buffer.
    if (chunk === null) {
      state.state = (state.state & ~(READING | NEED_READABLE | EMITTED_READABLE)) | ENDED;
      nextTick(() => emitEnd(this));
      return false;
    }
    if (chunk.length === 0 || this.listenerCount("data") === 0) return super.push(chunk);
    state.state = (state.state & ~READING) | DATA_EMITTED;
    this.emit("data", chunk);
    return (state.state & ENDED) === 0;
  }

  /** Lets chunks be emitted from a later tick on, as Readable does. */
  override resume(): this {
    const state = this._readableState;
    if (state.flowing !== null || (state.state & (READABLE_LISTENING | RESUME_SCHEDULED)) !== 0) return super.resume();
    state.flowing = true;
    state.state |= RESUME_SCHEDULED;
    nextTick(() => beginFlowing(this));
    // Ends a pause. Readable does nothing else for a stream that flows already.
    return super.resume();
  }

  /** Destroys the stream, without `_destroy` if a complete message was read to its end. */
  override destroy(error?: Error | null): this {
    const state = this._readableState;
    const hasEnded = (state.state & (END_EMITTED | DESTROYED)) === END_EMITTED;
    const needsNoCleanup = error == null && hasEnded && this.isComplete();
    if (!needsNoCleanup) return super.destroy(error ?? undefined);
    state.state |= DESTROYED;
    nextTick(() => close(this));
    return this;
  }

  /** Returns true if `_destroy` has nothing to do, because the whole message was received. */
  protected isComplete(): boolean {
    return false;
  }
}

/** Emits the chunks that the stream has and asks for more, as the function `resume_` of readable.js does after `resume`. */
function beginFlowing(body: Body): void {
  const state = body._readableState;
  const isFirstRead = (state.state & (READING | NEED_READABLE | ENDED | DESTROYED)) === 0 && state.errored === null;
  if (isFirstRead && state.length < state.highWaterMark) {
    // This is what `body.read(0)` would do.
    state.state |= READING | NEED_READABLE;
    body._read(state.highWaterMark);
    state.state &= ~SYNC;
  } else if ((state.state & READING) === 0) body.read(0);
  state.state &= ~RESUME_SCHEDULED;
  body.emit("resume");
  const isEmpty = state.length === 0 && (state.state & (READING | ENDED)) === READING;
  // For an empty stream, `body.read` would only change the flags.
  if (isEmpty) state.state = (state.state & ~EMITTED_READABLE) | NEED_READABLE;
  else while (state.flowing === true && body.read() !== null) continue;
  if (state.flowing === true && (state.state & READING) === 0) body.read(0);
}

/** Emits 'end' if everything was read, and destroys the stream, as `endReadableNT` of readable.js does. */
function emitEnd(body: Body): void {
  const state = body._readableState;
  if (state.errored !== null || (state.state & (CLOSE_EMITTED | END_EMITTED)) !== 0 || state.length > 0) return;
  state.state |= END_EMITTED;
  body.emit("end");
  body.destroy();
}

function close(body: Body): void {
  body._readableState.state |= CLOSED;
  nextTick(() => emitClose(body));
}

function emitClose(body: Body): void {
  body._readableState.state |= CLOSE_EMITTED;
  body.emit("close");
}
