/** Members that an IPC channel adds to `process` and to a ChildProcess. */
export interface Connectable {
  connected: boolean;
  channel?: { readonly ref: () => void; readonly unref: () => void } | undefined;
  send?: ((message: unknown, handle?: unknown, options?: unknown, callback?: unknown) => boolean) | undefined;
  disconnect?: (() => void) | undefined;
}
