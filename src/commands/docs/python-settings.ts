/** Writes a Python module from the contract, which reads its variables from the environment. */
import type { Contract, Declaration, Rule, ValueFormat } from "../../contract/contract-model.ts";
import { wrap } from "../../core/lines.ts";
import { printable, unicodeEscape } from "../../core/text.ts";
import { withCommandsWhole } from "../../output/layout.ts";
import { attributeNames } from "./python-names.ts";
import { descriptionLines, rulesByName } from "./outline.ts";

/** `dataclass` needs no package, `pydantic` needs pydantic-settings. */
export type PythonStyle = "dataclass" | "pydantic";

/** The line length of ruff and black. */
const WIDTH = 88;
const INDENT = "    ";

interface Field {
  readonly attribute: string;
  readonly declaration: Declaration;
  readonly rules: readonly Rule[];
  readonly isRequired: boolean;
  readonly type: string;
  readonly preset: string | undefined;
}

export function styleOf(text: string): PythonStyle {
  return /^from pydantic_settings import/m.test(text) ? "pydantic" : "dataclass";
}

/**
 * Returns the text of `settings.py`, for Python 3.10 and later. A variable that is neither required nor has a default may be
 * None; an empty one is unset. No `repr` shows a secret, and no error holds a value.
 */
export function pythonSettings(contract: Contract, mark: string, style: PythonStyle): string {
  const names = attributeNames([...contract.variables.keys()]);
  const rulesOf = rulesByName(contract);
  const fields = Array.from(contract.variables.values(), (declaration): Field => {
    const { name, default: fallback } = declaration;
    const rules = rulesOf(name);
    return {
      rules,
      attribute: names.get(name) ?? name,
      declaration,
      isRequired: fallback === undefined && rules.some(({ kind }) => kind === "required"),
      type: typeOf(declaration),
      // The program has the path of a file with it.
      preset: fallback === undefined || declaration.as === "file" ? undefined : literal(declaration, fallback),
    };
  });
  const write = style === "dataclass" ? dataclass : pydantic;
  return `# ${mark}; do not edit it.\n${write(fields)}`;
}

function dataclass(fields: readonly Field[]): string {
  const types = new Set(fields.map(({ declaration }) => formatIn(declaration)?.kind));
  return `"""The environment variables of this repository: Settings.from_environment()."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass${fields.some(({ declaration }) => declaration.secret) ? ", field" : ""}
from typing import Any${types.has("enum") ? ", Literal" : ""}


class SettingsError(Exception):
    """Variables that are missing or malformed, by name. It holds no value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The variables of the contract. Its \`repr\` does not show secrets."""

${fields.map(memberOfDataclass).join("\n\n")}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Reads os.environ or the given mapping; raises SettingsError."""
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for attribute, name, convert, required in _VARIABLES:
            text = source.get(name, "")
            if not text.strip():
                if required:
                    faults.append(f"{name} is not set")
                continue
            try:
                values[attribute] = convert(text)
            except ValueError:
                faults.append(f"{name} does not have the declared format")
        if faults:
            raise SettingsError("; ".join(faults) + ": start this program with sophia-run")
        return cls(**values)

${types.has("boolean") ? BOOLEAN : ""}${types.has("enum") ? ONE_OF : ""}
# Attribute, variable, conversion, whether it is required.
_VARIABLES: tuple[tuple[str, str, Callable[[str], object], bool], ...] = (
${fields.map(rowOfDataclass).join("\n")}
)
`;
}

const BOOLEAN = `
def _boolean(text: str) -> bool:
    word = text.lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError

`;

const ONE_OF = `
def _one_of(*allowed: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in allowed:
            raise ValueError
        return text

    return convert

`;

function rowOfDataclass({ attribute, declaration, isRequired }: Field): string {
  const cells = [quoted(attribute), quoted(declaration.name), conversion(declaration), isRequired ? "True" : "False"];
  return `${INDENT}(${cells.join(", ")}),`;
}

function memberOfDataclass({ attribute, declaration, rules, isRequired, type, preset }: Field): string {
  const annotated = isRequired || preset !== undefined ? type : `${type} | None`;
  const value = isRequired ? undefined : (preset ?? "None");
  const hidden = `field(${value === undefined ? "" : `default=${value}, `}repr=False)`;
  const right = declaration.secret ? hidden : value;
  const assigned = right === undefined ? "" : ` = ${right}`;
  return `${INDENT}${attribute}: ${annotated}${assigned}\n${documentation(declaration, rules)}`;
}

function pydantic(fields: readonly Field[]): string {
  const isText = (one: Field): boolean => one.type === "str";
  const imports = ["Field", ...(fields.some((one) => one.declaration.secret && isText(one)) ? ["SecretStr"] : [])];
  const hasChoice = fields.some(({ type }) => type.startsWith("Literal"));
  return `"""The environment variables of this repository: Settings.from_environment()."""

from __future__ import annotations
${hasChoice ? "\nfrom typing import Literal\n" : ""}
from pydantic import ${imports.join(", ")}
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The variables of the contract. Its \`repr\` does not show secrets."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

${fields.map(memberOfPydantic).join("\n\n")}

    @classmethod
    def from_environment(cls) -> Settings:
        """Reads os.environ; raises pydantic.ValidationError, which holds no value."""
        return cls.model_validate({})
`;
}

function memberOfPydantic({ attribute, declaration, rules, isRequired, type, preset }: Field): string {
  const { name, secret } = declaration;
  const isHidden = secret && type === "str";
  const shown = isHidden ? "SecretStr" : type;
  const annotated = isRequired || preset !== undefined ? shown : `${shown} | None`;
  const value = preset === undefined ? "None" : isHidden ? `SecretStr(${preset})` : preset;
  const options = [
    ...(isRequired ? [] : [`default=${value}`]),
    `validation_alias=${quoted(name)}`,
    ...(secret && !isHidden ? ["repr=False"] : []),
  ];
  return `${INDENT}${attribute}: ${annotated} = Field(${options.join(", ")})\n${documentation(declaration, rules)}`;
}

function documentation(declaration: Declaration, rules: readonly Rule[]): string {
  const { name, docs, deprecated } = declaration;
  const lines = [
    ...descriptionLines(declaration, rules, name),
    ...(docs === undefined ? [] : [`See ${docs}`]),
    ...(deprecated === undefined ? [] : [`Deprecated: use ${deprecated}.`]),
  ].map((line) => printable(line).replaceAll(/[\\"]/g, String.raw`\$&`));
  const [first = "", ...rest] = lines.flatMap((line) => wrap(withCommandsWhole(line), WIDTH - INDENT.length - 3));
  const body = rest.map((line) => (line === "" ? "" : INDENT + line));
  return `${INDENT}"""${[first, ...body, ...(rest.length === 0 ? [] : [INDENT])].join("\n")}"""`;
}

/** Returns the format of what the program has, which may be the path of a file. */
function formatIn({ as, format }: Declaration): Declaration["format"] {
  return as === "file" ? undefined : format;
}

function typeOf(declaration: Declaration): string {
  const format = formatIn(declaration);
  if (format?.kind === "enum") return `Literal[${choices(format.values)}]`;
  return TYPES[format?.kind ?? "text"] ?? "str";
}

const TYPES: { readonly [Kind in ValueFormat["kind"]]?: string } = {
  integer: "int",
  port: "int",
  number: "float",
  boolean: "bool",
};

function conversion(declaration: Declaration): string {
  const format = formatIn(declaration);
  if (format?.kind === "boolean") return "_boolean";
  return format?.kind === "enum" ? `_one_of(${choices(format.values)})` : typeOf(declaration);
}

function choices(values: readonly string[]): string {
  return Array.from(new Set(values), quoted).join(", ");
}

/** Returns a default, which has the declared format, as a Python literal. */
function literal(declaration: Declaration, value: string): string {
  const type = typeOf(declaration);
  // BigInt removes leading zeros, which Python rejects.
  if (type === "int") return String(BigInt(value.replace(/^\+/, "")));
  if (type === "float") return `float(${quoted(value)})`;
  if (type === "bool") return /^(?:true|yes|on|1)$/i.test(value) ? "True" : "False";
  return quoted(value);
}

/** Returns a string literal. JSON's escapes are valid in Python. */
function quoted(value: string): string {
  return JSON.stringify(value).replaceAll(/[\u007F-\u009F\u2028\u2029]/g, unicodeEscape);
}
