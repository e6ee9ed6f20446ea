/**
 * Relays the IPC channel of a Node.js parent: the caller has used `fork`, or `spawn` with `"ipc"`, to exchange messages with the
 * program. The messages, the handles in them and the end of the channel go through this process, in both directions.
 */
import type { ChildProcess, SendHandle, Serializable } from "node:child_process";
import type { Libc } from "../../../native/system.ts";
import { initialEnvironment } from "../../system/own-environment.ts";

/** The channel to the caller. */
export interface IpcChannel {
  readonly descriptor: number;
  readonly serialization: "json" | "advanced";
}

/** Returns the channel to the caller; undefined if there is none. */
export function parentChannel(): IpcChannel | undefined {
  if (process.send === undefined) return undefined;
  // Node.js has removed the variables from process.env. If /proc does not show them, 3 is the usual descriptor.
  const initial = initialEnvironment();
  return {
    descriptor: Number(initial.get("NODE_CHANNEL_FD") ?? 3),
    serialization: initial.get("NODE_CHANNEL_SERIALIZATION_MODE") === "advanced" ? "advanced" : "json",
  };
}

export interface Relay {
  /** Resolves when the caller has got all messages of the ended program. @param isLast false if the program is restarted */
  readonly drained: (isLast: boolean) => Promise<void>;
  /** Sends no further messages to the program. It is called before a restart. */
  readonly end: () => void;
}

/**
 * The time for the caller to read the program's last messages. A caller in Node.js that has sent a large message no longer waits for
 * the channel, but for the end of this process: messages that it has not read by then are lost.
 */
const READING_MS = 1000;

/**
 * Relays messages, handles and the end of the channel between the caller and the program.
 *
 * @param channel that to the caller
 * @param libc undefined without the addon: then this process does not wait for the caller to read
 * @param isReplaced returns true while the program is restarted: then the caller's channel stays open
 */
export function relayMessages(
  child: ChildProcess,
  channel: IpcChannel,
  libc: Libc | undefined,
  isReplaced: () => boolean,
): Relay {
  const pendingMessages = new Set<Promise<void>>();
  const sendToProgram = (message: unknown, handle: SendHandle | undefined): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a received message can be sent
    if (child.connected) child.send(message as Serializable, handle, () => closeHandle(handle));
  };
  process.on("message", sendToProgram);
  child.on("message", (message, handle) => {
    if (!process.connected) return;
    // The callback is also called if the caller has ended.
    const delivery = new Promise<void>((resolve) => {
      process.send?.(message, handle, {}, () => {
        closeHandle(handle);
        resolve();
      });
    });
    pendingMessages.add(delivery);
    void delivery.then(() => pendingMessages.delete(delivery));
  });
  let markDisconnected = (): void => {};
  const disconnected = new Promise<void>((resolve) => (markDisconnected = resolve));
  const disconnectProgram = (): void => {
    markDisconnected();
    if (child.connected) child.disconnect();
  };
  process.once("disconnect", disconnectProgram);
  /** Ends the channel to the caller after the last message. The caller closes it once it has read all of them. */
  const disconnectCaller = async (): Promise<void> => {
    await Promise.race([Promise.all(pendingMessages), disconnected]);
    if (!process.connected) return;
    if (libc === undefined) process.disconnect();
    else libc.endWrites(channel.descriptor);
  };
  child.once("disconnect", () => void (isReplaced() || disconnectCaller()));
  if (!process.connected && child.connected) child.disconnect();

  return {
    drained: async (isLast) => {
      // Each turn of the event loop reads from the channel's buffer. The number of turns is limited, since a background process of
      // the program may keep the channel open.
      for (let turn = 0; turn < 64 && child.connected; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (!isLast) return void (await Promise.race([Promise.all(pendingMessages), disconnected]));
      await disconnectCaller();
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, READING_MS));
      if (process.connected) await Promise.race([disconnected, timeout]);
    },
    end: () => {
      process.removeListener("message", sendToProgram);
      process.removeListener("disconnect", disconnectProgram);
    },
  };
}

/**
 * Closes a server or a datagram socket that came with a message, which would accept the program's connections here. Node.js closes
 * streams itself.
 */
function closeHandle(handle: unknown): void {
  if (typeof handle === "object" && handle !== null && "close" in handle && typeof handle.close === "function") {
    handle.close();
  }
}
