/** The log of a job, as actions/runner makes it of what the steps write (ActionCommandManager.cs). */
import { Commands } from "./command.ts";

export interface Annotation {
  readonly level: string;
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

export class Log {
  readonly masks = new Set<string>();
  readonly annotations: Annotation[] = [];
  /** What people see. */
  readonly lines: string[] = [];
  /** What of it was shown, or annotated, before the first mask. */
  beforeMasks = "";

  private readonly commands = new Commands();

  /** One line of a step's output. */
  read(raw: string): void {
    const command = this.commands.read(raw);
    if (command?.name === "add-mask") {
      // The runner masks each line as well.
      const { data } = command;
      for (const one of [data, ...data.split(/\r?\n/)]) if (one.trim() !== "") this.masks.add(one);
      return;
    }
    if (command !== undefined) {
      const { name, data, properties } = command;
      if (!["error", "warning", "notice"].includes(name)) throw new Error(`a command that nobody meant: ${name}`);
      this.annotations.push({ level: name, message: this.masked(data), properties });
    }
    const shown = command === undefined ? raw : `##[${command.name}]${command.data}`;
    if (this.masks.size === 0) this.beforeMasks += shown;
    this.lines.push(this.masked(shown));
  }

  /** With `***` for what the runner was told to mask, and for the forms of it that it derives itself. */
  masked(text: string): string {
    const forms = [...this.masks].flatMap((mask) => [mask, ...derived(mask)]);
    // All are found before the first is replaced, and what touches becomes one (SecretMasker.cs).
    const found = forms
      .flatMap((form) => (form === "" ? [] : placesOf(form, text)))
      .toSorted(([one], [other]) => one - other);
    let masked = "";
    let at = 0;
    for (const [start, end] of found) {
      if (start > at || at === 0) masked += `${text.slice(at, start)}***`;
      at = Math.max(at, end);
    }
    return masked + text.slice(at);
  }
}

/** Where a form stands in a text, each occurrence from one character to another. */
function placesOf(form: string, text: string): readonly (readonly [start: number, end: number])[] {
  const places: [number, number][] = [];
  for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) places.push([at, at + form.length]);
  return places;
}

/** ValueEncoders.cs: base64 at its three offsets, JSON strings, URIs; as far as these tests look. */
function derived(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [
    ...[0, 1, 2].map((shift) => bytes.subarray(shift).toString("base64")),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
  ].filter((form) => form.length > 3);
}
