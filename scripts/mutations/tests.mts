/** Runs test files in a workplace, by the runner. */
import type { ChildProcess } from "node:child_process";
import type { Answer, Request } from "./runner.mts";
import type { Workplace } from "./workplace.mts";

/** How a run of test files ended. `overdue`: it had not ended at its limit, as in an endless loop, or the runner itself has ended. */
export type TestResult =
  | { readonly kind: "passed" }
  | { readonly kind: "overdue" }
  /** `file` is undefined if an error belongs to no test. */
  | { readonly kind: "failed"; readonly file: string | undefined; readonly name: string };

/** The limit on the start of the runner. */
const START_LIMIT_MS = 120_000;

export class Tests {
  readonly #place: Workplace;
  #runner: ChildProcess | undefined;

  constructor(place: Workplace) {
    this.#place = place;
  }

  /** Runs test files until the first test fails, and removes what they leave. @param files relative to the repository */
  async run(files: readonly string[], limitMs: number): Promise<TestResult> {
    this.#runner ??= await this.#start();
    const runner = this.#runner;
    runner.send(files satisfies Request);
    const answer = await answerOf(runner, limitMs);
    if (answer === undefined) this.#stop();
    this.#place.clear();
    if (answer === undefined) return { kind: "overdue" };
    if (answer.kind === "ready") throw new Error("the runner of tests has answered out of turn");
    return answer;
  }

  /** Stops the runner. The next run starts another one. */
  #stop(): void {
    if (this.#runner !== undefined) this.#place.stop(this.#runner);
    this.#runner = undefined;
  }

  async #start(): Promise<ChildProcess> {
    const command = [process.execPath, "--import", "tsx", "scripts/mutations/runner.mts", this.#place.temporary];
    const runner = this.#place.start(command, ["ignore", "ignore", "ignore", "ipc"]);
    const answer = await answerOf(runner, START_LIMIT_MS);
    if (answer?.kind !== "ready") throw new Error("vitest does not start in the clone");
    return runner;
  }
}

/** Returns the next answer of the runner; undefined if it gives none until the limit, or ends. */
function answerOf(runner: ChildProcess, limitMs: number): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const settle = (answer: Answer | undefined): void => {
      clearTimeout(timer);
      runner.off("message", settle).off("exit", end).off("error", end);
      resolve(answer);
    };
    const end = (): void => settle(undefined);
    const timer = setTimeout(end, limitMs);
    runner.once("message", settle).once("exit", end).once("error", end);
  });
}
