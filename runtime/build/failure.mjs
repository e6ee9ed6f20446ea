// Failures of the build that are no bugs of it: they have a message for whoever runs it, and no stack trace.

/** Its message has the problem, and then what to do. */
export class BuildFailure extends Error {}

/**
 * Returns why a command failed, in one line.
 *
 * @param result of spawnSync, with texts
 */
export function reasonOf({ error, status, signal, stderr }) {
  const line = (stderr ?? "").split("\n").find((each) => each.trim() !== "");
  return error?.message ?? line?.trim() ?? `it ended with ${status ?? signal}`;
}

/**
 * Runs a script of the build. If it fails, prints the message and sets the exit status to 1.
 *
 * @param script a function
 */
export async function runScript(script) {
  try {
    await script();
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
