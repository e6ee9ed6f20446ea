/** The two formats of messages on an IPC channel of Node.js: lines of JSON, or V8's own with a length in front ("advanced"). */
import { Buffer } from "../buffer.ts";

/** `user`: a message of the user's; the others are Node.js's own. */
type MessageKind = "user" | "handle" | "acknowledged" | "other";

export interface Format {
  readonly encode: (message: unknown) => Uint8Array;
  /** Returns a function that takes the next bytes and returns the messages that they complete. */
  readonly decoder: () => (chunk: Uint8Array) => readonly unknown[];
  readonly kindOf: (message: unknown) => MessageKind;
  /** The user's message in the one that came with a handle. */
  readonly contentOf: (envelope: unknown) => unknown;
  /** The message that goes with a handle that came with `envelope`. */
  readonly around: (content: unknown, envelope: unknown) => unknown;
  readonly acknowledgement: unknown;
}

const LINE_FEED = 0x0a;
const LENGTH_BYTES = 4;

function kindBy(command: unknown): MessageKind {
  if (typeof command !== "string" || command.length <= 5 || !command.startsWith("NODE_")) return "user";
  if (command === "NODE_HANDLE") return "handle";
  // After a refusal Node.js tries again three times; the handle is closed here already.
  return command === "NODE_HANDLE_ACK" || command === "NODE_HANDLE_NACK" ? "acknowledged" : "other";
}

function fieldsOf(message: unknown): Readonly<Record<string, unknown>> {
  const fields: Readonly<Record<string, unknown>> = Object(message);
  return fields;
}

const json: Format = {
  encode: (message) => Buffer.from(`${JSON.stringify(message)}\n`),
  decoder: () => {
    let rest = Buffer.alloc(0);
    return (chunk) => {
      const messages: unknown[] = [];
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
        messages.push(JSON.parse(rest.toString("utf8", 0, end)));
        rest = rest.subarray(end + 1);
      }
      return messages;
    };
  },
  kindOf: (message) => kindBy(fieldsOf(message)["cmd"]),
  contentOf: (envelope) => fieldsOf(envelope)["msg"],
  around: (content, envelope) => ({ ...fieldsOf(envelope), msg: content }),
  acknowledgement: { cmd: "NODE_HANDLE_ACK" },
};

/** A message in V8's format, which this runtime can only pass on. */
class Opaque {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

function viewOf({ buffer, byteOffset }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset);
}

/** How V8 begins an object whose first property is `cmd`, behind the number of its format's version; then a length, a text. */
const BEFORE_COMMAND = Buffer.from('o"\u0003cmd"', "latin1");

const advanced: Format = {
  encode: (message) => {
    if (!(message instanceof Opaque)) {
      throw new TypeError("this executable can only pass on messages of the advanced serialization");
    }
    const { bytes } = message;
    const length = Buffer.alloc(LENGTH_BYTES);
    viewOf(length).setUint32(0, bytes.length);
    return Buffer.concat([length, bytes]);
  },
  decoder: () => {
    let rest = Buffer.alloc(0);
    return (chunk) => {
      const messages: unknown[] = [];
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= LENGTH_BYTES) {
        const end = LENGTH_BYTES + viewOf(rest).getUint32(0);
        if (rest.length < end) break;
        messages.push(new Opaque(rest.subarray(LENGTH_BYTES, end)));
        rest = rest.subarray(end);
      }
      return messages;
    };
  },
  kindOf: (message) => {
    if (!(message instanceof Opaque)) return "user";
    const at = 2 + BEFORE_COMMAND.length;
    const { bytes } = message;
    if (!bytes.subarray(2, at).equals(BEFORE_COMMAND)) return "user";
    return kindBy(bytes.toString("latin1", at + 1, at + 1 + (bytes[at] ?? 0)));
  },
  contentOf: (envelope) => envelope,
  around: (_, envelope) => envelope,
  acknowledgement: new Opaque(Buffer.from('\u00FF\u000Fo"\u0003cmd"\u000FNODE_HANDLE_ACK{\u0001', "latin1")),
};

export const formats = { json, advanced };
