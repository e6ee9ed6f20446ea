import type { ChildProcess, SendHandle, Serializable } from "node:child_process";
import { initialEnvironment } from "../../system/own-environment.ts";

/** The IPC channel of a Node.js parent (`fork`, or `spawn` with `"ipc"`). */
export interface IpcChannel {
  readonly descriptor: number;
  readonly serialization: "json" | "advanced";
}

/** Returns the IPC channel to the caller, if there is one. */
export function parentChannel(): IpcChannel | undefined {
  if (process.send === undefined) return undefined;
  // Node has removed the variables from process.env. Without /proc: usually 3.
  const initial = initialEnvironment();
  return {
    descriptor: Number(initial.get("NODE_CHANNEL_FD") ?? 3),
    serialization: initial.get("NODE_CHANNEL_SERIALIZATION_MODE") === "advanced" ? "advanced" : "json",
  };
}

export interface Relay {
  /** Resolves when the parent has all messages of the ended program. */
  readonly drained: () => Promise<void>;
  /** Stops sending messages to the program, before a restart. */
  readonly end: () => void;
}

/** Relays messages, handles and the disconnect. @param isReplaced the program is restarted: the parent's channel stays */
export function relayMessages(child: ChildProcess, isReplaced: () => boolean): Relay {
  const sending = new Set<Promise<void>>();
  const toChild = (message: unknown, handle: SendHandle | undefined): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a received message can be sent
    if (child.connected) child.send(message as Serializable, handle, () => release(handle));
  };
  process.on("message", toChild);
  child.on("message", (message, handle) => {
    if (!process.connected) return;
    // Calls back with an error if the parent is gone.
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
    // After the last message.
    void Promise.all(sending).then(() => process.connected && process.disconnect());
  });
  if (!process.connected && child.connected) child.disconnect();

  return {
    drained: async () => {
      // Each turn of the event loop reads from the channel's buffer. Limited: a background process may hold it open.
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

/** Closes a server or datagram socket of a message, which would accept the program's connections here. Node closes streams. */
function release(handle: unknown): void {
  if (typeof handle === "object" && handle !== null && "close" in handle && typeof handle.close === "function") {
    handle.close();
  }
}
