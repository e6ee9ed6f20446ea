/**
 * Relays the IPC channel of a caller in Node.js, which has used `fork`, or `spawn` with `"ipc"`, to exchange messages with the program.
 * This process passes on the messages, the handles in them and the end of the channel, in both directions.
 */
import type { ChildProcess, SendHandle, Serializable } from "node:child_process";
import type { Libc } from "../../../native/system.ts";
import { readInitialEnvironment } from "../../system/process-environment.ts";

/** The channel to the caller. */
export interface IpcChannel {
  readonly descriptor: number;
  /** The format of the messages, an option of `fork`. */
  readonly serialization: "json" | "advanced";
}

/** Returns the channel to the caller; undefined if there is none. */
export function parentChannel(): IpcChannel | undefined {
  if (process.send === undefined) return undefined;
  // Node.js has removed the variables from process.env. If /proc does not show them, 3 is the usual descriptor.
  const initial = readInitialEnvironment();
  return {
    descriptor: Number(initial.get("NODE_CHANNEL_FD") ?? 3),
    serialization: initial.get("NODE_CHANNEL_SERIALIZATION_MODE") === "advanced" ? "advanced" : "json",
  };
}

export interface Relay {
  /** Waits until the caller has got all messages of the ended program. `isLast`: the program is not restarted. */
  readonly drain: (options: { readonly isLast: boolean }) => Promise<void>;
  /** Stops the relay before a restart: no further messages are sent to this program. */
  readonly stop: () => void;
}

/**
 * The time that this process gives the caller to read the program's last messages. A caller in Node.js that has sent a large message
 * does not wait for the end of the channel, but for the end of this process. It would lose the messages that it has not read by then.
 */
const READING_MS = 1000;
/** Limit on the turns of the event loop that `drain` waits. A background process of the program may keep the channel open. */
const MAX_DRAIN_TURNS = 64;

/**
 * Relays messages, handles and the end of the channel between the caller and the program.
 *
 * @param child the program
 * @param channel the channel to the caller
 * @param libc undefined without the addon; then this process does not wait for the caller to read
 * @param isRestarting returns true while the program is restarted; then the caller's channel stays open
 */
export function relayMessages(
  child: ChildProcess,
  channel: IpcChannel,
  libc: Libc | undefined,
  isRestarting: () => boolean,
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
  child.once("disconnect", () => void (isRestarting() || disconnectCaller()));
  // The caller has closed the channel before this function listened for that.
  if (!process.connected && child.connected) child.disconnect();

  return {
    drain: async ({ isLast }) => {
      // Each turn of the event loop reads from the channel's buffer.
      for (let turn = 0; turn < MAX_DRAIN_TURNS && child.connected; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (!isLast) return void (await Promise.race([Promise.all(pendingMessages), disconnected]));
      await disconnectCaller();
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, READING_MS));
      if (process.connected) await Promise.race([disconnected, timeout]);
    },
    stop: () => {
      process.removeListener("message", sendToProgram);
      process.removeListener("disconnect", disconnectProgram);
    },
  };
}

/**
 * Closes a handle that came with a message and was passed on. An open server or datagram socket would accept connections and packets of
 * the other process here. Node.js closes streams itself.
 */
function closeHandle(handle: unknown): void {
  if (typeof handle === "object" && handle !== null && "close" in handle && typeof handle.close === "function") {
    handle.close();
  }
}
