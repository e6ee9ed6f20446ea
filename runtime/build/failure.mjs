// Failures of the build that are no bugs in it, such as a missing compiler. The build prints their message without a stack trace.

/** A failure whose message states the problem, and then the remedy. Example: "there is no git, which applies patches: install git". */
export class BuildFailure extends Error {}

/**
 * Describes in one line why a command has failed: the system's error, the first line that the command wrote to standard error, or its
 * exit status.
 *
 * @param result what spawnSync returned, with texts in place of bytes
 */
export function describeCommandFailure({ error, status, signal, stderr }) {
  const firstLine = (stderr ?? "").split("\n").find((line) => line.trim() !== "");
  return error?.message ?? firstLine?.trim() ?? `it ended with ${status ?? signal}`;
}

/**
 * Runs the main function of a script. If it throws a BuildFailure, prints the message and sets the exit status to 1.
 *
 * @param main may return a promise
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
