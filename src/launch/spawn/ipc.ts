import type { ChildProcess, SendHandle, Serializable } from "node:child_process";
import type { Libc } from "../../../native/system.ts";
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
  /** Resolves when the parent has all messages of the ended program. @param isLast it is not restarted */
  readonly drained: (isLast: boolean) => Promise<void>;
  /** Stops sending messages to the program, before a restart. */
  readonly end: () => void;
}

/**
 * Time for the parent to read the program's last messages. One in Node.js that has sent a large message no longer waits for the
 * channel, but for the end of this process: what it has not read by then is lost to it.
 */
const READING_MS = 1000;

/**
 * Relays messages, handles and the disconnect.
 *
 * @param channel to the parent
 * @param libc undefined without the addon: the parent is not waited for then
 * @param isReplaced the program is restarted: the parent's channel stays
 */
export function relayMessages(
  child: ChildProcess,
  channel: IpcChannel,
  libc: Libc | undefined,
  isReplaced: () => boolean,
): Relay {
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
  let parentHasGone = (): void => {};
  const disconnected = new Promise<void>((resolve) => (parentHasGone = resolve));
  const disconnectChild = (): void => {
    parentHasGone();
    if (child.connected) child.disconnect();
  };
  process.once("disconnect", disconnectChild);
  /** After the last message. The parent closes the channel once it has read all. */
  const disconnectParent = async (): Promise<void> => {
    await Promise.race([Promise.all(sending), disconnected]);
    if (!process.connected) return;
    if (libc === undefined) process.disconnect();
    else libc.endWrites(channel.descriptor);
  };
  child.once("disconnect", () => void (isReplaced() || disconnectParent()));
  if (!process.connected && child.connected) child.disconnect();

  return {
    drained: async (isLast) => {
      // Each turn of the event loop reads from the channel's buffer. Limited: a background process may hold it open.
      for (let turn = 0; turn < 64 && child.connected; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (!isLast) return void (await Promise.race([Promise.all(sending), disconnected]));
      await disconnectParent();
      const late = new Promise<void>((resolve) => setTimeout(resolve, READING_MS));
      if (process.connected) await Promise.race([disconnected, late]);
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
