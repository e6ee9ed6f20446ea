import type { ChildProcess, SendHandle, Serializable } from "node:child_process";
import { initialEnvironment } from "../../system/own-environment.ts";

/** The IPC channel that a Node.js parent opened to this process (`fork`, or `spawn` with `"ipc"`). */
export interface IpcChannel {
  readonly descriptor: number;
  readonly serialization: "json" | "advanced";
}

/** @returns the channel to the parent, undefined when there is none */
export function parentChannel(): IpcChannel | undefined {
  if (process.send === undefined) return undefined;
  // Node has removed the variables from process.env. Where the system does not tell: Node usually gives number 3.
  const initial = initialEnvironment();
  return {
    descriptor: Number(initial.get("NODE_CHANNEL_FD") ?? 3),
    serialization: initial.get("NODE_CHANNEL_SERIALIZATION_MODE") === "advanced" ? "advanced" : "json",
  };
}

/** Messages between the parent and the program, as long as either can send. */
export interface Relay {
  /** Resolves when the parent has what the program sent before it ended. */
  readonly drained: () => Promise<void>;
  /** The program has ended, and another takes its place: this one gets no message any more. */
  readonly end: () => void;
}

/**
 * Passes messages (handles too) and the disconnect between the parent and the program.
 *
 * @param isReplaced another program takes the place of the child: the channel to the parent stays
 */
export function relayMessages(child: ChildProcess, isReplaced: () => boolean): Relay {
  const sending = new Set<Promise<void>>();
  const toChild = (message: unknown, handle: SendHandle | undefined): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node delivered as a message can be sent
    if (child.connected) child.send(message as Serializable, handle, () => release(handle));
  };
  process.on("message", toChild);
  child.on("message", (message, handle) => {
    if (!process.connected) return;
    // Calls back with an error when the parent is gone: the message has no reader then.
    const sent = new Promise<void>((resolve) => {
      process.send?.(message, handle, {}, () => {
        release(handle);
        resolve();
      });
    });
    sending.add(sent);
    void sent.then(() => sending.delete(sent));
  });
  const disconnectChild = (): void => {
    if (child.connected) child.disconnect();
  };
  process.once("disconnect", disconnectChild);
  child.once("disconnect", () => {
    if (isReplaced()) return;
    // The parent reads the end of the channel after the last message.
    void Promise.all(sending).then(() => process.connected && process.disconnect());
  });
  if (!process.connected && child.connected) child.disconnect();

  return {
    drained: async () => {
      // The messages are in the channel's buffer, and each turn of the event loop reads from it. Not for ever: a process
      // that the program left behind may hold the channel open.
      for (let turn = 0; turn < 64 && child.connected; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (!process.connected) return;
      const disconnected = new Promise<void>((resolve) => process.once("disconnect", () => resolve()));
      await Promise.race([Promise.all(sending), disconnected]);
    },
    end: () => {
      process.removeListener("message", toChild);
      process.removeListener("disconnect", disconnectChild);
    },
  };
}

/**
 * Closes a server or datagram socket that came with a message: it is open here, too, and would accept the program's
 * connections. A stream is closed by Node itself.
 */
function release(handle: unknown): void {
  if (typeof handle === "object" && handle !== null && "close" in handle && typeof handle.close === "function") {
    handle.close();
  }
}
