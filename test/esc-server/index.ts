export type { Call, TokenVerdict } from "./calls.ts";
export type { EnvironmentSpec, Revision } from "./environments.ts";
export type { Diagnostic } from "./evaluate.ts";
export type { Target } from "./fault-plan.ts";
export type { Fault, FaultName } from "./faults.ts";
export { OPERATIONS, type Operation } from "./routes.ts";
export { type EnvironmentHandle, type EscServer, type EscServerOptions, startEscServer } from "./server.ts";
export { num, type Position, type Range, secret, unknown, type ValueSpec, wire } from "./values.ts";
export type { OidcSpec, UserSpec } from "./world.ts";
