/** The log of a job, as actions/runner makes it of what the steps write (ActionCommand.cs, ActionCommandManager.cs). */

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

  /** One line of a step's output. */
  read(raw: string): void {
    const line = raw.trimStart();
    const command = /^::([\w-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/s.exec(line);
    const [, name = "", list = "", data = ""] = command ?? [];
    if (name === "add-mask") {
      // The runner masks each line as well.
      const value = unescaped(data);
      for (const one of [value, ...value.split(/\r?\n/)]) if (one.trim() !== "") this.masks.add(one);
      return;
    }
    const shown = name === "" ? raw : `##[${name}]${unescaped(data)}`;
    if (["error", "warning", "notice"].includes(name)) {
      const pairs = list.split(",").flatMap((one) => {
        const at = one.indexOf("=");
        return at === -1 ? [] : [[one.slice(0, at), unescapedProperty(one.slice(at + 1))] as const];
      });
      this.annotations.push({
        level: name,
        message: this.masked(unescaped(data)),
        properties: Object.fromEntries(pairs),
      });
    } else if (name !== "") throw new Error(`an unknown command: ${name}`);
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

function unescaped(text: string): string {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

function unescapedProperty(text: string): string {
  return unescaped(text.replaceAll("%3A", ":").replaceAll("%2C", ","));
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
