/** Writes the YAML of a definition from the values that a test has set, for environments.ts. */
import type { Crypt } from "./crypt.ts";
import type { ObjectNode, Position, ValueNode } from "./values.ts";

/** A definition's text, and its values with the place of each in that text. */
export interface WrittenDefinition {
  readonly yaml: string;
  readonly root: ObjectNode;
}

/** Writes a definition that has `root` as its values, secrets as ciphertext, and notes where each value came to stand. */
export function writeDefinition(
  environment: string,
  root: ObjectNode,
  imports: readonly string[],
  crypt: Crypt,
): WrittenDefinition {
  const writer = new Writer(environment, crypt);
  if (imports.length > 0) {
    writer.emit("imports:");
    for (const name of imports) writer.emit(`\n  - ${name}`);
    writer.emit("\n");
  }
  writer.emit("values:");
  const properties = writer.entries(root.properties, 2);
  writer.emit("\n");
  return { yaml: writer.text(), root: { ...root, properties } };
}

class Writer {
  readonly #environment: string;
  readonly #crypt: Crypt;
  readonly #parts: string[] = [];
  #line = 1;
  #column = 1;
  #byte = 0;

  constructor(environment: string, crypt: Crypt) {
    this.#environment = environment;
    this.#crypt = crypt;
  }

  text(): string {
    return this.#parts.join("");
  }

  emit(text: string): void {
    this.#parts.push(text);
    this.#byte += Buffer.byteLength(text);
    const lastBreak = text.lastIndexOf("\n");
    if (lastBreak === -1) {
      this.#column += text.length;
      return;
    }
    this.#line += text.split("\n").length - 1;
    this.#column = text.length - lastBreak;
  }

  entries(properties: ReadonlyMap<string, ValueNode>, indent: number): Map<string, ValueNode> {
    if (properties.size === 0) this.emit(" {}");
    const written = new Map<string, ValueNode>();
    for (const [key, node] of properties) {
      this.emit(`\n${" ".repeat(indent)}${keyText(key)}:`);
      written.set(key, this.#value(node, indent));
    }
    return written;
  }

  #value(node: ValueNode, indent: number): ValueNode {
    if (node.kind === "object") {
      const begin = this.#position();
      const properties = this.entries(node.properties, indent + 2);
      return { ...node, properties, range: this.#rangeFrom(begin) };
    }
    if (node.kind === "list") {
      const begin = this.#position();
      if (node.items.length === 0) this.emit(" []");
      const items = node.items.map((item) => {
        this.emit(`\n${" ".repeat(indent + 2)}-`);
        return this.#value(item, indent + 2);
      });
      return { ...node, items, range: this.#rangeFrom(begin) };
    }
    this.emit(" ");
    const begin = this.#position();
    if (node.secret && node.kind !== "unknown") {
      const cipher = this.#crypt.encrypt(node.kind === "string" ? node.text : scalarText(node));
      this.emit(`{"fn::secret": {ciphertext: ${JSON.stringify(cipher)}}}`);
    } else {
      this.emit(scalarText(node));
    }
    return { ...node, range: this.#rangeFrom(begin) };
  }

  #position(): Position {
    return { line: this.#line, column: this.#column, byte: this.#byte };
  }

  #rangeFrom(begin: Position): { environment: string; begin: Position; end: Position } {
    return { environment: this.#environment, begin, end: this.#position() };
  }
}

function scalarText(node: Exclude<ValueNode, { kind: "list" | "object" }>): string {
  switch (node.kind) {
    case "string":
      return JSON.stringify(node.text.replaceAll("$", () => "$$"));
    case "boolean":
      return String(node.value);
    case "number":
      return node.text;
    case "unknown":
      return `{"fn::open::unavailable": {}}`;
    case "null":
    case "wire":
      return "null";
  }
}

/** Names that YAML readers of one version or another take for a boolean or null are quoted. */
function keyText(key: string): string {
  const plain = /^[A-Za-z_]\w*$/.test(key) && !/^(?:true|false|null|y|n|yes|no|on|off)$/i.test(key);
  return plain ? key : JSON.stringify(key);
}
