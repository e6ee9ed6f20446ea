/** Translates the types of pydantic into formats of a contract: `port: int = Field(ge=1, le=65535)`; pure. */
import type { FormatEntry } from "../../../contract/generated/document.ts";
import { parseNumber, parseString, splitList, textInBrackets } from "./expressions.ts";
import { firstMatches } from "./reads.ts";
import { enumFormat, numberFormat, type NumberRange, textFormat } from "./type-formats.ts";

/** The URL schemes that pydantic 2 admits for each of its types. */
const URL_SCHEMES: Readonly<Record<string, readonly string[]>> = {
  HttpUrl: ["http", "https"],
  AnyHttpUrl: ["http", "https"],
  WebsocketUrl: ["ws", "wss"],
  AnyWebsocketUrl: ["ws", "wss"],
  FtpUrl: ["ftp"],
  PostgresDsn: [
    "postgres",
    "postgresql",
    ...driverSchemes("postgresql", "asyncpg pg8000 psycopg psycopg2 psycopg2cffi py-postgresql pygresql"),
  ],
  CockroachDsn: ["cockroachdb", "cockroachdb+psycopg2", "cockroachdb+asyncpg"],
  MySQLDsn: ["mysql", ...driverSchemes("mysql", "mysqlconnector aiomysql asyncmy mysqldb pymysql cymysql pyodbc")],
  MariaDBDsn: ["mariadb", "mariadb+mariadbconnector", "mariadb+pymysql"],
  RedisDsn: ["redis", "rediss"],
  MongoDsn: ["mongodb", "mongodb+srv"],
  AmqpDsn: ["amqp", "amqps"],
  KafkaDsn: ["kafka"],
  NatsDsn: ["nats", "tls", "ws", "wss"],
  ClickHouseDsn: ["clickhouse", "clickhouses", "clickhousedb", ...driverSchemes("clickhouse", "native asynch http")],
};

/** Returns the schemes of a database with each of its drivers, such as `postgresql+asyncpg`. */
function driverSchemes(database: string, drivers: string): readonly string[] {
  return drivers.split(" ").map((driver) => `${database}+${driver}`);
}

/** The types of integers, each with the range that its name states. */
const INTEGER_TYPES: Readonly<Record<string, NumberRange>> = {
  int: {},
  StrictInt: {},
  conint: {},
  PositiveInt: { minimum: 1 },
  NonNegativeInt: { minimum: 0 },
  NegativeInt: { maximum: -1 },
  NonPositiveInt: { maximum: 0 },
};
/** The types of other numbers. A bound that is exclusive, such as that of PositiveFloat, becomes the inclusive one. */
const FLOAT_TYPES: Readonly<Record<string, NumberRange>> = {
  float: {},
  confloat: {},
  PositiveFloat: { minimum: 0 },
  NonNegativeFloat: { minimum: 0 },
  NonPositiveFloat: { maximum: 0 },
};

/** The texts of each enumeration in a file, by the name of its class. */
export type Enums = ReadonlyMap<string, readonly string[]>;

/**
 * Finds the enumerations whose members are all texts. Such a class begins with `class Level(StrEnum):` or
 * `class Level(str, Enum):`, and each member is a line like this:
 *
 *     DEBUG = "debug"
 */
export function enumsIn(code: string): Enums {
  if (!code.includes("Enum")) return new Map();
  const classes = firstMatches(
    code,
    /^class (\w+)\(\s*(?:(?:enum\.)?StrEnum|str\s*,\s*(?:enum\.)?Enum)\s*\):.*\n((?:(?:[ \t].*)?\n|[ \t].*$)*)/gm,
  );
  return new Map(
    classes.flatMap(([, name = "", body = ""]) => {
      const members = firstMatches(body, /^[ \t]{1,40}\w+[ \t]*=[ \t]*(.*)$/gm);
      const values = members.map(([, value = ""]) => parseString(value.replace(/[ \t]#.*$/, "")));
      const texts = values.filter((value) => value !== undefined);
      return texts.length === 0 || texts.length < values.length ? [] : [[name, texts] as const];
    }),
  );
}

const NO_FIELDS: ReadonlySet<string> = new Set();

/**
 * Finds the fields whose text a validator may change before pydantic checks its type. The type then says nothing about the
 * variable. `*` stands for all fields.
 *
 *     @field_validator("hosts", mode="before")
 */
export function fieldsWithEarlyValidator(classBody: string): ReadonlySet<string> {
  // Most classes have no validator, and a file may have thousands of classes.
  if (!classBody.includes("validator(")) return NO_FIELDS;
  const decorators = firstMatches(classBody, /@(?:\w+\.)?(?:field_validator|validator)\(([^()]{0,1000})\)/g);
  return new Set(
    decorators.flatMap(([, argumentText = ""]) => {
      const isEarly = /\bmode\s*=\s*["'](?:before|plain|wrap)["']|\bpre\s*=\s*True/.test(argumentText);
      return isEarly ? splitList(argumentText).flatMap((argument) => parseString(argument) ?? []) : [];
    }),
  );
}

/** Types contain types, so that a long one would be parsed several times. */
const MAX_TYPE_LENGTH = 500;
const MAX_DEPTH = 3;

/**
 * Returns the format of a field.
 *
 * @param type the annotation, such as `Annotated[int, Field(ge=1)] | None`
 * @param value what the field is assigned, such as `Field(default=3, le=9)`; empty for none
 * @param name the name of the variable
 * @param enums the enumerations of the file
 * @returns undefined if the type states nothing that a contract can state, or if the field has several types
 */
export function pydanticFormat(type: string, value: string, name: string, enums: Enums): FormatEntry | undefined {
  if (type.length > MAX_TYPE_LENGTH) return undefined;
  const { annotation, metadata } = unwrapType(type) ?? {};
  if (annotation === undefined) return undefined;
  const fieldText = `${value}${metadata}`;
  if (/\b(?:Before|Plain|Wrap)Validator\b/.test(fieldText)) return undefined;
  const [, baseType = "", bracket = ""] = /^(?:\w+\.)*(\w+)\s*([[(]?)/.exec(annotation) ?? [];
  const argumentText = bracket === "" ? "" : textInBrackets(annotation, annotation.indexOf(bracket));
  if (baseType === "Literal") return literalFormat(argumentText);
  // `conint(ge=1)` has its constraints in a call, other types have them in `Field()`.
  const constraints = `${fieldText} ${bracket === "(" ? argumentText : ""}`;
  const integerRange = ownEntry(INTEGER_TYPES, baseType);
  if (integerRange !== undefined) {
    return numberFormat("integer", { ...integerRange, ...parseRange(constraints, "integer") }, name);
  }
  const floatRange = ownEntry(FLOAT_TYPES, baseType);
  if (floatRange !== undefined) {
    return numberFormat("number", { ...floatRange, ...parseRange(constraints, "number") }, name);
  }
  const schemes = ownEntry(URL_SCHEMES, baseType);
  if (schemes !== undefined) return { type: "url", schemes };
  switch (baseType) {
    case "bool":
    case "StrictBool":
      return "boolean";
    case "AnyUrl":
      return "url";
    case "EmailStr":
      return "email";
    case "str":
    case "SecretStr":
    case "constr":
      return textFormat(undefined, parseNumber(/\bmin_length\s*=\s*(\d+)/.exec(constraints)?.[1]));
    default:
      return enumFormat(enums.get(baseType));
  }
}

/**
 * Removes what is around the type of a value: quotes, `Optional[…]`, `… | None` and `Annotated[…]`.
 *
 * @returns also the metadata of `Annotated`; undefined if a value may have several types
 */
function unwrapType(type: string): { readonly annotation: string; readonly metadata: string } | undefined {
  let annotation = parseString(type.trim()) ?? type.trim();
  let metadata = "";
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const [start = "", wrapper] = /^(?:\w+\.)*(Annotated|Optional|Union|Final)\s*(?=\[)/.exec(annotation) ?? [];
    const parts =
      wrapper === undefined ? splitList(annotation, "|") : splitList(textInBrackets(annotation, start.length));
    const isAnnotated = wrapper === "Annotated";
    if (isAnnotated) metadata += ` ${parts.slice(1).join(" ")}`;
    const types = isAnnotated ? parts.slice(0, 1) : parts.filter((part) => part !== "None");
    const [innerType = ""] = types;
    if (types.length !== 1) return undefined;
    if (wrapper === undefined && innerType === annotation) break;
    annotation = innerType;
  }
  return { annotation, metadata };
}

/** Parses the values of `Literal["debug", "info"]`. */
function literalFormat(argumentText: string): FormatEntry | undefined {
  const values = splitList(argumentText).map(parseString);
  const texts = values.filter((value) => value !== undefined);
  return texts.length < values.length ? undefined : enumFormat(texts);
}

function ownEntry<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Parses the constraints `ge` and `le`. The exclusive `gt` and `lt` are translated for integers only, as `ge` and `le`. */
function parseRange(constraints: string, kind: "integer" | "number"): NumberRange {
  const bound = (keyword: string): number | undefined =>
    parseNumber(new RegExp(String.raw`\b${keyword}\s*=\s*(-?\d[\d_.]{0,20})`).exec(constraints)?.[1]);
  const exclusiveBound = (keyword: string): number | undefined => (kind === "integer" ? bound(keyword) : undefined);
  const above = exclusiveBound("gt");
  const below = exclusiveBound("lt");
  const minimum = bound("ge") ?? (above === undefined ? undefined : above + 1);
  const maximum = bound("le") ?? (below === undefined ? undefined : below - 1);
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}
