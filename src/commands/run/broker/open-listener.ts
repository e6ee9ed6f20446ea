/**
 * Opens the broker's server at the address that the user has named by `--broker-listen`, or on a free port of loopback. If the
 * address is the path of a Unix socket, the file of the socket is removed when the run ends.
 */
import { unlinkSync } from "node:fs";
import { resolve } from "node:path";
import { type Broker, type BrokerOptions, openBroker } from "../../../broker/broker-server.ts";
import {
  type ListenAddress,
  LOOPBACK_ADDRESS,
  MAX_SOCKET_PATH_BYTES,
  socketIdentity,
} from "../../../broker/broker-listen.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { undoAtExit } from "../../../launch/secret-files.ts";
import { attempt, systemErrorCode } from "../../../system/errors.ts";

/** The broker's server, which listens. `close` also removes the socket. */
export interface BrokerListener extends Broker {
  /** The absolute path of the socket; undefined for a port. */
  readonly socketPath: string | undefined;
}

/**
 * Opens the server, which then accepts connections.
 *
 * @param cwd the folder in which a relative path of a socket begins
 * @throws SophiaError (broker, 125) if this process cannot listen at the address
 */
export async function openListener(parts: BrokerOptions, address: ListenAddress, cwd: string): Promise<BrokerListener> {
  const socket = "path" in address ? createSocketAddress(resolve(cwd, address.path)) : undefined;
  const absoluteAddress = socket ?? address;
  let broker: Broker;
  try {
    broker = await openBroker(parts, absoluteAddress);
  } catch (error) {
    socket?.remove();
    throw createListenError(absoluteAddress, systemErrorCode(error) ?? "UNKNOWN");
  }
  const close = (): void => {
    broker.close();
    socket?.remove();
  };
  return { ...broker, close, socketPath: socket?.path };
}

/** The address of a socket, and the function that removes its file. */
type SocketAddress = Extract<ListenAddress, { readonly path: string }> & { readonly remove: () => void };

/**
 * Returns the address of a socket. Its file is removed whenever this process ends, except by SIGKILL or a crash; but not if another
 * process has put its own socket at the path. This function already handles signals, before the file exists, so that no signal can
 * leave the file behind.
 */
function createSocketAddress(path: string): SocketAddress {
  let createdSocket: string | undefined;
  const remove = undoAtExit(() => {
    const isOurs = createdSocket !== undefined && socketIdentity(path) === createdSocket;
    if (isOurs) attempt(() => unlinkSync(path));
  });
  // The server calls this once it has created the socket.
  const onCreated = (): void => {
    createdSocket = socketIdentity(path);
  };
  return { path, onCreated, remove };
}

/** Returns the error (broker, 125) for an address at which this process cannot listen. @param code the name of the errno */
function createListenError(address: ListenAddress, code: string): SophiaError {
  const { message, hint } =
    "path" in address ? describeSocketFailure(address.path, code) : describePortFailure(address, code);
  return new SophiaError({ code: "broker", message: `${message} (${code})`, hint });
}

interface ListenFailure {
  readonly message: string;
  readonly hint: string;
}

function describeSocketFailure(socketPath: string, code: string): ListenFailure {
  const path = printable(socketPath);
  switch (code) {
    case "EADDRINUSE":
      return {
        message: `--broker-listen: ${path} exists already`,
        hint: "remove the file if no other sophia-run uses it, or name another path",
      };
    case "ENAMETOOLONG":
      return {
        message: `--broker-listen: the path of the socket is too long: ${path}`,
        hint: `name a path of at most ${MAX_SOCKET_PATH_BYTES} bytes, such as one in /tmp`,
      };
    default:
      return {
        message: `--broker-listen cannot make the socket ${path}`,
        hint: "name a path in a folder that may be written",
      };
  }
}

function describePortFailure(address: Exclude<ListenAddress, { readonly path: string }>, code: string): ListenFailure {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const hostAndPort = address.port === 0 ? host : `${host}:${address.port}`;
  // The user has named no address, or the address is not the reason.
  if (address === LOOPBACK_ADDRESS || code === "EMFILE") {
    return {
      message: `--broker cannot accept connections on ${hostAndPort}`,
      hint: "check the loopback interface and the limits of this process (ulimit -n), or leave --broker out",
    };
  }
  switch (code) {
    case "EADDRNOTAVAIL":
      return {
        message: `--broker-listen: ${hostAndPort} is not an address of this machine`,
        hint: "name one of its addresses; ip address shows them",
      };
    case "EADDRINUSE":
      return {
        message: `--broker-listen: another program listens on ${hostAndPort}`,
        hint: `name another port, or none to use a free one: --broker-listen ${host}`,
      };
    default:
      return {
        message: `--broker-listen cannot accept connections on ${hostAndPort}`,
        hint: "name another address or port",
      };
  }
}
