/** Makes the log of a job from the output of its steps, as actions/runner does (ActionCommandManager.cs). */
import { Commands } from "./command.ts";

/** A message at a line of a file, or at the job. */
export interface Annotation {
  readonly level: string;
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** The log. `read` gets each line of the output in turn. */
export class Log {
  readonly masks = new Set<string>();
  readonly annotations: Annotation[] = [];
  /** The lines that people see. */
  readonly lines: string[] = [];
  /** The text that was shown before the first mask was set. */
  beforeMasks = "";

  private readonly commands = new Commands();

  /** Executes a line of the output if it is a command, and otherwise shows it. */
  read(raw: string): void {
    const command = this.commands.read(raw);
    if (command?.name === "add-mask") {
      // The runner masks each line as well.
      const { data } = command;
      for (const text of [data, ...data.split(/\r?\n/)]) if (text.trim() !== "") this.masks.add(text);
      return;
    }
    if (command !== undefined) {
      const { name, data, properties } = command;
      if (!["error", "warning", "notice"].includes(name)) throw new Error(`an unexpected command: ${name}`);
      this.annotations.push({ level: name, message: this.masked(data), properties });
    }
    const shown = command === undefined ? raw : `##[${command.name}]${command.data}`;
    if (this.masks.size === 0) this.beforeMasks += shown;
    this.lines.push(this.masked(shown));
  }

  /** Replaces the masked texts, and the forms that the runner derives from them, by `***`. */
  masked(text: string): string {
    const forms = [...this.masks].flatMap((mask) => [mask, ...encodedForms(mask)]);
    // All occurrences are found before the first is replaced. Those that touch become one `***` (SecretMasker.cs).
    const occurrences = forms
      .flatMap((form) => (form === "" ? [] : occurrencesOf(form, text)))
      .toSorted(([first], [second]) => first - second);
    let masked = "";
    let position = 0;
    for (const [start, end] of occurrences) {
      if (start > position || position === 0) masked += `${text.slice(position, start)}***`;
      position = Math.max(position, end);
    }
    return masked + text.slice(position);
  }
}

/** Returns the start and the end of each occurrence in a text. */
function occurrencesOf(form: string, text: string): readonly (readonly [start: number, end: number])[] {
  const occurrences: [number, number][] = [];
  for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1)) {
    occurrences.push([start, start + form.length]);
  }
  return occurrences;
}

/** Returns the encoded forms of a secret that tests need: base64 at three offsets, JSON strings and URIs (ValueEncoders.cs). */
function encodedForms(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [
    ...[0, 1, 2].map((shift) => bytes.subarray(shift).toString("base64")),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
  ].filter((form) => form.length > 3);
}
