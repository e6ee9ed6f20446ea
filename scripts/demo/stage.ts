import { stripVTControlCharacters } from "node:util";
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

const WIDTH = 80;
/** Where what stands beside a line begins. */
const MARGIN = 43;

/** Shows the steps one after the other, and keeps count of what did not go as announced. */
export class Stage {
  readonly #write: (text: string) => void;
  readonly #paint: Paint;
  readonly #failures: string[] = [];
  #steps = 0;

  constructor(write: (text: string) => void, paint: Paint) {
    this.#write = write;
    this.#paint = paint;
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  step(title: string, ...asides: readonly string[]): void {
    this.#steps += 1;
    this.#write(`\n${this.#paint("heading", `── ${this.#steps}  ${title} `.padEnd(WIDTH, "─"))}\n`);
    this.aside(...asides);
  }

  aside(...lines: readonly string[]): void {
    for (const line of lines) this.#write(`${this.#paint("aside", `# ${line}`)}\n`);
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
    for (const text of linesOf(ended.stderr)) this.#write(`${this.#paint("launcher", text)}\n`);
    for (const text of linesOf(ended.stdout)) this.#line(text, beside?.(text) ?? "");
    const faults = differences(ended, expected);
    const style = faults.length === 0 ? "good" : "bad";
    this.#write(`${this.#paint(style, `→ ${ending(ended)}`)}\n`);
    for (const fault of faults) this.fail(`${line}: ${fault}`);
    return ended;
  }

  /** States what has been looked at, and fails where it is not so. */
  verify(holds: boolean, statement: string): void {
    if (holds) this.#write(`${this.#paint("good", `→ ${statement}`)}\n`);
    else this.fail(`it does not hold that ${statement}`);
  }

  fail(message: string): void {
    this.#failures.push(message);
    this.#write(`${this.#paint("bad", `✗ ${message}`)}\n`);
  }

  #line(text: string, beside: string): void {
    const room = beside === "" ? WIDTH : MARGIN;
    const shown = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
    this.#write(beside === "" ? `${shown}\n` : `${shown.padEnd(MARGIN)} ${this.#paint("aside", beside)}\n`);
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
