/** What Node.js has since 22.15 and 23.11 (not on Windows); the installed types are those of Node.js 20. */
interface WithExecve {
  /** execve(2). Returns only by throwing, and before Node.js 26.1 not even then: a failure ends the process. */
  execve(file: string, argv: readonly string[], environment: Readonly<Record<string, string>>): void;
}

export function hasExecve(runtime: NodeJS.Process): runtime is NodeJS.Process & WithExecve {
  return "execve" in runtime && process.platform !== "win32";
}

/** The runtime ignores these two. An ignored signal stays ignored in a new image, a caught one gets its default action. */
export function stopIgnoring(): void {
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => {});
}
