import { stripVTControlCharacters } from "node:util";
import type { Line } from "../../src/core/lines.ts";
import { laidOut, PLAIN } from "../../src/output/layout.ts";
import { type Command, commandLine, type Ended, ending, type Interruption, type Place, run } from "./command.ts";
import type { Paint } from "./paint.ts";

/** What is announced of a command; whatever does not come true makes the demo fail. */
export interface Expectation {
  readonly status?: number;
  readonly signal?: NodeJS.Signals;
  /** Each stands somewhere in the output. */
  readonly shows?: readonly RegExp[];
}

/** What is shown beside a line that the program wrote; nothing where it is empty. */
export type Margin = (line: string) => string;

const [LEAST, MOST] = [40, 80];
/** Where what stands beside a line begins. */
const MARGIN = 43;

/** Shows the steps one after the other, and keeps count of what did not go as announced. */
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
    const lines = this.#laidOut({ text: `── ${this.#steps}  ${title}`, hang: 6 });
    const heading = lines.map((line, at) =>
      at + 1 < lines.length ? line : `${line} `.padEnd(this.#width, "─").trimEnd(),
    );
    this.#write(`\n${heading.map((line) => `${this.#paint("heading", line)}\n`).join("")}`);
    this.aside(...asides);
  }

  aside(...lines: readonly string[]): void {
    if (lines.length > 0) this.#tell("aside", { text: `# ${lines.join(" ")}`, hang: 2 }, "# ");
  }

  /** The command line as a user types it. */
  prompt(line: string): void {
    this.#write(`\n${this.#paint("command", `$ ${line}`)}\n`);
  }

  /** Shows a command line, runs it, and shows all that it wrote and how it ended. */
  async play(
    command: Command,
    place: Place,
    expected: Expectation,
    { margin, interruption }: { readonly margin?: Promise<Margin>; readonly interruption?: Interruption } = {},
  ): Promise<Ended> {
    const line = commandLine(command);
    this.prompt(interruption === undefined ? line : `${line} & …; kill -${interruption.signal.slice(3)} $!`);
    const [ended, beside] = await Promise.all([run(command, place, interruption), margin]);
    // While it launches, sophia-run says what it has to say before the program starts.
    for (const text of linesOf(ended.stderr)) this.#tell("launcher", text);
    for (const text of linesOf(ended.stdout)) this.#line(text, beside?.(text) ?? "");
    const faults = differences(ended, expected);
    const style = faults.length === 0 ? "good" : "bad";
    this.#tell(style, { text: `→ ${ending(ended)}`, hang: 2 });
    for (const fault of faults) this.fail(`${line}: ${fault}`);
    return ended;
  }

  /** States what has been looked at, and fails where it is not so. */
  verify(holds: boolean, statement: string): void {
    if (holds) this.#tell("good", { text: `→ ${statement}`, hang: 2 });
    else this.fail(`it does not hold that ${statement}`);
  }

  fail(message: string): void {
    this.#failures.push(message);
    this.#tell("bad", { text: `✗ ${message}`, hang: 2 });
  }

  /** What is said at the end, apart from the last step. */
  end(lines: readonly string[]): void {
    for (const line of ["", ...lines.flatMap((one) => this.#laidOut(one))]) this.#write(`${line}\n`);
  }

  #laidOut(line: Line): readonly string[] {
    return laidOut(line, { ...PLAIN, width: this.#width });
  }

  #line(text: string, beside: string): void {
    const isBeside = beside !== "" && text.length <= MARGIN && MARGIN + 1 + beside.length <= this.#width;
    if (isBeside) this.#write(`${text.padEnd(MARGIN)} ${this.#paint("aside", beside)}\n`);
    else {
      for (const line of this.#laidOut(text)) this.#write(`${line}\n`);
      if (beside !== "") this.#tell("aside", { text: `    ${beside}`, hang: 6 });
    }
  }

  /** @param again what stands in front of the lines that follow the first, in place of their indent */
  #tell(style: Parameters<Paint>[0], line: Line, again = ""): void {
    for (const [index, one] of this.#laidOut(line).entries()) {
      this.#write(`${this.#paint(style, index === 0 ? one : again + one.slice(again.length))}\n`);
    }
  }
}

function differences(ended: Ended, { status = 0, signal, shows = [] }: Expectation): string[] {
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
