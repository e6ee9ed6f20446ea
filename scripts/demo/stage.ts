/** Plays commands of the demo: prints each, runs it, and checks how it ended and what it printed. */
import { stripVTControlCharacters } from "node:util";
import type { Line } from "../../src/core/lines.ts";
import { renderLine, PLAIN_LAYOUT } from "../../src/output/layout.ts";
import {
  type Command,
  commandLine,
  type ProcessResult,
  ending,
  type Interruption,
  type CommandSetting,
  run,
} from "./command.ts";
import type { Paint } from "./paint.ts";

/** The expected end and output of a command; a difference fails the demo. */
export interface Expectation {
  readonly status?: number;
  readonly signal?: NodeJS.Signals;
  /** Fragments of the output. */
  readonly shows?: readonly RegExp[];
}

/** Returns a remark to the right of an output line; empty for none. */
export type Margin = (line: string) => string;

const [LEAST, MOST] = [40, 80];
/** Column of the remarks. */
const MARGIN = 43;

/** Shows the steps in order, and counts failures. */
export class Stage {
  readonly #write: (text: string) => void;
  readonly #paint: Paint;
  readonly #width: number;
  readonly #failures: string[] = [];
  #steps = 0;

  /** @param columns of the terminal, if it is one */
  constructor(write: (text: string) => void, paint: Paint, columns: number = MOST) {
    this.#write = write;
    this.#paint = paint;
    this.#width = Math.max(LEAST, Math.min(MOST, columns));
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  step(title: string, ...asides: readonly string[]): void {
    this.#steps += 1;
    const lines = this.#renderLine({ text: `── ${this.#steps}  ${title}`, hangingIndent: 6 });
    const heading = lines.map((line, at) =>
      at + 1 < lines.length ? line : `${line} `.padEnd(this.#width, "─").trimEnd(),
    );
    this.#write(`\n${heading.map((line) => `${this.#paint("heading", line)}\n`).join("")}`);
    this.aside(...asides);
  }

  aside(...lines: readonly string[]): void {
    if (lines.length > 0) this.#tell("aside", { text: `# ${lines.join(" ")}`, hangingIndent: 2 }, "# ");
  }

  /** The command line as a user types it. */
  prompt(line: string): void {
    this.#write(`\n${this.#paint("command", `$ ${line}`)}\n`);
  }

  /** Shows a command line, runs it, and shows its output and its end. */
  async play(
    command: Command,
    place: CommandSetting,
    expected: Expectation,
    { margin, interruption }: { readonly margin?: Promise<Margin>; readonly interruption?: Interruption } = {},
  ): Promise<ProcessResult> {
    const line = commandLine(command);
    this.prompt(interruption === undefined ? line : `${line} & …; kill -${interruption.signal.slice(3)} $!`);
    const [ended, beside] = await Promise.all([run(command, place, interruption), margin]);
    // In a launch, sophia-run's messages come before the program's output.
    for (const text of linesOf(ended.stderr)) this.#tell("launcher", text);
    for (const text of linesOf(ended.stdout)) this.#line(text, beside?.(text) ?? "");
    const faults = differences(ended, expected);
    const style = faults.length === 0 ? "good" : "bad";
    this.#tell(style, { text: `→ ${ending(ended)}`, hangingIndent: 2 });
    for (const fault of faults) this.fail(`${line}: ${fault}`);
    return ended;
  }

  /** Shows a statement, and fails if it does not hold. */
  verify(holds: boolean, statement: string): void {
    if (holds) this.#tell("good", { text: `→ ${statement}`, hangingIndent: 2 });
    else this.fail(`this does not hold: ${statement}`);
  }

  fail(message: string): void {
    this.#failures.push(message);
    this.#tell("bad", { text: `✗ ${message}`, hangingIndent: 2 });
  }

  /** Shows the last lines, after an empty one. */
  end(lines: readonly string[]): void {
    for (const line of ["", ...lines.flatMap((one) => this.#renderLine(one))]) this.#write(`${line}\n`);
  }

  #renderLine(line: Line): readonly string[] {
    return renderLine(line, { ...PLAIN_LAYOUT, width: this.#width });
  }

  #line(text: string, beside: string): void {
    const isBeside = beside !== "" && text.length <= MARGIN && MARGIN + 1 + beside.length <= this.#width;
    if (isBeside) this.#write(`${text.padEnd(MARGIN)} ${this.#paint("aside", beside)}\n`);
    else {
      for (const line of this.#renderLine(text)) this.#write(`${line}\n`);
      if (beside !== "") this.#tell("aside", { text: `    ${beside}`, hangingIndent: 6 });
    }
  }

  /** @param again prefix of the following lines instead of their indent */
  #tell(style: Parameters<Paint>[0], line: Line, again = ""): void {
    for (const [index, one] of this.#renderLine(line).entries()) {
      this.#write(`${this.#paint(style, index === 0 ? one : again + one.slice(again.length))}\n`);
    }
  }
}

function differences(ended: ProcessResult, { status = 0, signal, shows = [] }: Expectation): string[] {
  const expected = signal === undefined ? { status, signal: null } : { status: null, signal };
  const output = stripVTControlCharacters(ended.stderr + ended.stdout);
  return [
    ...(ending(ended) === ending(expected) ? [] : [`announced was ${ending(expected)}`]),
    ...shows.filter((pattern) => !pattern.test(output)).map((pattern) => `it does not show ${String(pattern)}`),
  ];
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
