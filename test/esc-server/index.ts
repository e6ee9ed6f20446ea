/**
 * The ESC server for tests of other folders, which import it from here: the server, its faults, and values for its
 * environments.
 */
export type { Call } from "./calls.ts";
export type { EnvironmentSpec } from "./environments.ts";
export type { Diagnostic } from "./evaluate.ts";
export type { Fault, FaultName } from "./faults.ts";
export { type EnvironmentHandle, type EscServer, type EscServerOptions, startEscServer } from "./server.ts";
export { num, secret, unknown, type ValueSpec, wire } from "./values.ts";
