/** Opens the broker at the address that the user has named, and removes the file of its socket at the end. */
import { unlinkSync } from "node:fs";
import { resolve } from "node:path";
import { type Broker, type BrokerParts, openBroker } from "../../../broker/broker-server.ts";
import { type ListenAddress, LOOPBACK_ADDRESS, MAX_SOCKET_PATH, socketIdentity } from "../../../broker/own-address.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { undoAtExit } from "../../../launch/secret-files.ts";
import { attempt, systemErrorCode } from "../../../system/errors.ts";

export interface Listening extends Broker {
  /** The absolute path of the socket; undefined for a port. */
  readonly socketPath: string | undefined;
}

/** @param cwd of relative paths @throws SophiaError (broker, 125) */
export async function listen(parts: BrokerParts, address: ListenAddress, cwd: string): Promise<Listening> {
  const socket = "path" in address ? ownSocket(resolve(cwd, address.path)) : undefined;
  const at = socket ?? address;
  let broker: Broker;
  try {
    broker = await openBroker(parts, at);
  } catch (error) {
    socket?.remove();
    throw notListening(at, systemErrorCode(error) ?? "UNKNOWN");
  }
  const close = (): void => {
    broker.close();
    socket?.remove();
  };
  return { ...broker, close, socketPath: socket?.path };
}

/**
 * Returns the address of a socket whose file is removed at any end of this process that it notices, unless another one is there
 * by then. It notices signals from now on, before the socket is made.
 */
function ownSocket(path: string) {
  let own: string | undefined;
  const remove = undoAtExit(() => {
    if (own !== undefined && socketIdentity(path) === own) attempt(() => unlinkSync(path));
  });
  const made = (): void => {
    own = socketIdentity(path);
  };
  return { path, made, remove };
}

function notListening(address: ListenAddress, code: string): SophiaError {
  const failure = (message: string, hint: string): SophiaError =>
    new SophiaError({ code: "broker", message: `${message} (${code})`, hint });
  if ("path" in address) {
    const path = printable(address.path);
    switch (code) {
      case "EADDRINUSE":
        return failure(
          `--broker-listen: ${path} exists already`,
          "remove the file if no other sophia-run uses it, or name another path",
        );
      case "ENAMETOOLONG":
        return failure(
          `--broker-listen: the path of the socket is too long: ${path}`,
          `name a path of at most ${MAX_SOCKET_PATH} bytes, such as one in /tmp`,
        );
      default:
        return failure(`--broker-listen cannot make the socket ${path}`, "name a path in a folder that may be written");
    }
  }
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const shown = address.port === 0 ? host : `${host}:${address.port}`;
  if (address === LOOPBACK_ADDRESS || code === "EMFILE") {
    return failure(
      `--broker cannot accept connections on ${shown}`,
      "check the loopback interface and the limits of this process (ulimit -n), or leave --broker out",
    );
  }
  switch (code) {
    case "EADDRNOTAVAIL":
      return failure(
        `--broker-listen: ${shown} is not an address of this machine`,
        "name one of its addresses; ip address shows them",
      );
    case "EADDRINUSE":
      return failure(
        `--broker-listen: another program listens on ${shown}`,
        `name another port, or none to use a free one: --broker-listen ${host}`,
      );
    default:
      return failure(`--broker-listen cannot accept connections on ${shown}`, "name another address or port");
  }
}
