import { describe, expect, test } from "vitest";
import { findPythonReads } from "../../../../src/commands/parts/code/python-reads.ts";
import type { VariableReads } from "../../../../src/commands/parts/code/reads.ts";
import { findScriptReads } from "../../../../src/commands/parts/code/script-reads.ts";

/** The formats by name, of the reads that have one. */
function formatsOf(reads: VariableReads): unknown {
  return Object.fromEntries(reads.flatMap(({ name, format }) => (format ? [[name, format]] : [])));
}

const zod = (field: string, before = ""): unknown =>
  formatsOf(
    findScriptReads(
      `import { z } from "zod";\n${before}\nexport const env = z.object({ A: ${field} }).parse(process.env);`,
    ),
  );

describe("a schema of zod", () => {
  test.each([
    ["z.string()", undefined],
    ["z.string().min(1)", undefined],
    ["z.string().url()", "url"],
    ["z.url()", "url"],
    ["z.url({ protocol: /^https?$/ })", { type: "url", schemes: ["http", "https"] }],
    ['z.string().startsWith("https://")', { type: "url", schemes: ["https"] }],
    ['z.string().url().startsWith("postgres://").optional()', { type: "url", schemes: ["postgres"] }],
    ['z.string({ message: "A (x) is missing" }).email().default("a@b.test")', "email"],
    ["z.email()", "email"],
    ["z.base64()", "base64"],
    ["z.string().min(32, 'too short, sorry')", { type: "text", minLength: 32 }],
    ['z.string().startsWith("sk_").min(20)', { type: "text", prefix: "sk_", minLength: 20 }],
    ["z.coerce.number()", "number"],
    ["z.coerce.number().int().min(1).max(1_000)", { type: "integer", minimum: 1, maximum: 1000 }],
    ["z.coerce\n    .number() // of all\n    .int()\n    .positive()", { type: "integer", minimum: 1 }],
    ["z.coerce.number().gt(0)", "number"],
    ["z.coerce.number().int().nonnegative().lt(9)", { type: "integer", minimum: 0, maximum: 8 }],
    ["z.coerce.number().min(9).max(1)", "number"],
    ["z.coerce.boolean().default(false)", "boolean"],
    ["z.stringbool()", "boolean"],
    ['z.enum(["dev", "prod"]).default("dev")', { type: "enum", values: ["dev", "prod"] }],
    ['z.enum([\n  "dev",\n  "prod",\n])', { type: "enum", values: ["dev", "prod"] }],
    ['z.enum(["true", "false"]).transform((v) => v === "true")', { type: "enum", values: ["true", "false"] }],
    ["z.enum(LEVELS)", undefined],
    ['z.literal("on")', { type: "enum", values: ["on"] }],
    ['z.union([z.literal("a"), z.literal("b")])', { type: "enum", values: ["a", "b"] }],
    ['z.union([z.literal("a"), z.string().url()])', undefined],
    ["z.optional(z.string().url())", "url"],
    ["z.string().transform(Number).pipe(z.number().int().max(9))", { type: "integer", maximum: 9 }],
    ["z.string().transform((v) => parseInt(v, 10)).pipe(z.number())", "number"],
    ['z.string().transform((v) => v.split(","))', undefined],
    ["z.string().url().transform((v) => new URL(v))", "url"],
    // These accept other values, too.
    ['z.string().url().catch("x")', undefined],
    ['z.string().url().or(z.literal("localhost"))', undefined],
    ['z.string().url().or(z.literal(""))', "url"],
    ['z.optional(z.enum(["a", "b"])).or(z.string())', undefined],
    ['z.optional(z.enum(["a", "b"])).or(z.literal(""))', { type: "enum", values: ["a", "b"] }],
    ["z.string().url().transform((v) => new URL(v)).or(z.string())", undefined],
    ["z.string().transform(Number).pipe(z.number()).or(z.string())", undefined],
    ["z.string().transform(Number).pipe(z.number()).or(z.literal(''))", "number"],
    ["z.preprocess((v) => v || undefined, z.string().url())", undefined],
    ["urlSchema", undefined],
  ] as const)("gives the variable the right format: %s", (field, format) => {
    expect(zod(field)).toEqual(format === undefined ? {} : { A: format });
  });

  test("may have its list of values in a constant of the file", () => {
    const list = 'const LEVELS = ["debug", "info"] as const;';
    expect(zod("z.enum(LEVELS)", list)).toEqual({ A: { type: "enum", values: ["debug", "info"] } });
    expect(zod("z.enum(LEVELS)", "const LEVELS = [DEBUG, INFO];")).toEqual({});
  });

  test.each([
    ["z.coerce.number()", "port"],
    ["z.coerce.number().int().min(1).max(65535)", "port"],
    ["z.coerce.number().min(1024)", { type: "number", minimum: 1024 }],
    ["z.coerce.number().int().min(0)", { type: "integer", minimum: 0 }],
    ["z.string()", undefined],
  ] as const)("gives a port its format by the name: %s", (field, format) => {
    const text = `import { z } from "zod"; z.object({ SMTP_PORT: ${field} }).parse(process.env)`;
    expect(formatsOf(findScriptReads(text))).toEqual(format === undefined ? {} : { SMTP_PORT: format });
  });
});

test("t3-env, as create-t3-app writes it, is read from its schema, not from the list below the schema", () => {
  const text = `import { createEnv } from "@t3-oss/env-nextjs";
import { z } from "zod";

export const env = createEnv({
  /** Specify your server-side environment variables schema here. */
  server: {
    AUTH_SECRET: process.env.NODE_ENV === "production" ? z.string() : z.string().optional(),
    DATABASE_URL: z.string().url(),
    ANALYTICS_ID: z.string().optional(),
    NODE_ENV: z.enum(["development", "test", "production"]).default("development"),
  },
  client: {
    NEXT_PUBLIC_API_URL: z.url(),
  },
  runtimeEnv: {
    AUTH_SECRET: process.env.AUTH_SECRET,
    DATABASE_URL: process.env.DATABASE_URL,
    ANALYTICS_ID: process.env.ANALYTICS_ID,
    NODE_ENV: process.env.NODE_ENV,
    NEXT_PUBLIC_API_URL: process.env.NEXT_PUBLIC_API_URL,
  },
  skipValidation: !!process.env.SKIP_ENV_VALIDATION,
  emptyStringAsUndefined: true,
});
`;
  const reads = findScriptReads(text);
  expect(formatsOf(reads)).toEqual({
    DATABASE_URL: "url",
    NEXT_PUBLIC_API_URL: "url",
    NODE_ENV: { type: "enum", values: ["development", "test", "production"] },
  });
  const needed = reads.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  expect(new Set(needed)).toEqual(new Set(["DATABASE_URL", "NEXT_PUBLIC_API_URL"]));
  // Not even the secret, which only production needs.
  expect(reads.filter(({ isUntested }) => isUntested === true)).toEqual([]);
});

test("a schema of envalid gives names and formats", () => {
  const text = `import * as envalid from "envalid";
import { cleanEnv, str, port } from "envalid";
export const env = cleanEnv(process.env, {
  NODE_MODE: str({ choices: ["a", "b"], default: "a" }),
  HTTP_PORT: port({ devDefault: 3000 }),
  API_URL: envalid.url({ desc: "Where the API is" }),
  ADMIN: envalid.email(), DEBUG_IT: envalid.bool({ default: false }), COUNT: envalid.num(), LIST: envalid.json(),
  TOKEN: str(), HOSTNAME_OF: envalid.host(),
});`;
  expect(formatsOf(findScriptReads(text))).toEqual({
    NODE_MODE: { type: "enum", values: ["a", "b"] },
    HTTP_PORT: "port",
    API_URL: "url",
    ADMIN: "email",
    DEBUG_IT: "boolean",
    COUNT: "number",
    LIST: "json",
  });
});

test("schemas of valibot and joi give names and formats", () => {
  const valibot = `import * as v from "valibot";
v.parse(v.object({
  A: v.pipe(v.string(), v.url()), B: v.optional(v.pipe(v.string(), v.email())), C: v.picklist(["x", "y"]),
  D: v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1)), E: v.pipe(v.string(), v.transform(parse), v.url()),
}), process.env);`;
  expect(formatsOf(findScriptReads(valibot))).toEqual({
    A: "url",
    B: "email",
    C: { type: "enum", values: ["x", "y"] },
    D: { type: "integer", minimum: 1 },
  });
  const joi = `import Joi from "joi";
const validationSchema = Joi.object({
  A: Joi.string().uri({ scheme: ["https"] }).required(), B: Joi.number().port(), C: Joi.string().valid("x", "y").default("x"),
  D: Joi.boolean(), E: Joi.number().integer().min(2), F: Joi.string().uri().allow("none"), G: Joi.string().email(),
});`;
  expect(formatsOf(findScriptReads(joi))).toEqual({
    A: { type: "url", schemes: ["https"] },
    B: "port",
    C: { type: "enum", values: ["x", "y"] },
    D: "boolean",
    E: { type: "integer", minimum: 2 },
    G: "email",
  });
});

const pydantic = (field: string, more = ""): unknown =>
  formatsOf(
    findPythonReads(`from pydantic_settings import BaseSettings\n${more}\nclass S(BaseSettings):\n    a: ${field}\n`),
  );

describe("settings of pydantic", () => {
  test.each([
    ["str", undefined],
    ["SecretStr", undefined],
    ["bool = False", "boolean"],
    ["Optional[bool] = None", "boolean"],
    ["bool | None = None", "boolean"],
    ["int", "integer"],
    ["pydantic.PositiveInt = 4", { type: "integer", minimum: 1 }],
    ["int = Field(default=4, ge=1, le=64)", { type: "integer", minimum: 1, maximum: 64 }],
    ["Annotated[int, Field(gt=0)] = 3", { type: "integer", minimum: 1 }],
    ["conint(ge=2)", { type: "integer", minimum: 2 }],
    ["float", "number"],
    ["HttpUrl", { type: "url", schemes: ["http", "https"] }],
    ["AnyHttpUrl | None = None", { type: "url", schemes: ["http", "https"] }],
    ["AnyUrl", "url"],
    ["RedisDsn", { type: "url", schemes: ["redis", "rediss"] }],
    ["MongoDsn", { type: "url", schemes: ["mongodb", "mongodb+srv"] }],
    ["EmailStr", "email"],
    ['Literal["dev", "prod"] = "dev"', { type: "enum", values: ["dev", "prod"] }],
    ["Literal['dev'] | None", { type: "enum", values: ["dev"] }],
    ["Literal[1, 2]", undefined],
    ["str = Field(min_length=32)", { type: "text", minLength: 32 }],
    ['"bool" = True', "boolean"],
    ["int | str", undefined],
    ["Union[bool, Literal['auto']]", undefined],
    ["Annotated[list[AnyUrl] | str, BeforeValidator(parse_cors)] = []", undefined],
    ["Annotated[int, BeforeValidator(parse)]", undefined],
    ["list[str] = []", undefined],
    ["Path", undefined],
  ] as const)("give the variable the right format: %s", (field, format) => {
    expect(pydantic(field)).toEqual(format === undefined ? {} : { A: format });
  });

  test("may name the driver of a PostgreSQL database", () => {
    expect(pydantic("PostgresDsn")).toMatchObject({
      A: { type: "url", schemes: expect.arrayContaining(["postgresql", "postgres", "postgresql+asyncpg"]) },
    });
  });

  test("may have their choices in a class of the same file", () => {
    const level = 'class Level(StrEnum):\n    """Text."""\n\n    DEBUG = "debug"  # all\n    INFO = "info"\n\n';
    expect(pydantic("Level = Level.INFO", level)).toEqual({ A: { type: "enum", values: ["debug", "info"] } });
    expect(pydantic("Level", level.replace('"info"', "auto()"))).toEqual({});
  });

  test("give no format to a value that a validator changes first", () => {
    const text = (mode: string): string => `from pydantic_settings import BaseSettings
class S(BaseSettings):
    flag: bool
    port: int

    @field_validator("flag"${mode})
    @classmethod
    def parse(cls, value):
        return value
`;
    expect(formatsOf(findPythonReads(text(', mode="before"')))).toEqual({ PORT: "port" });
    expect(formatsOf(findPythonReads(text("")))).toEqual({ FLAG: "boolean", PORT: "port" });
  });

  test("may have a class with a prefix, and several names for a field", () => {
    const text = `from pydantic import AliasChoices, Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_", env_file=".env", extra="ignore")

    debug: bool = False
    workers: int = Field(4, ge=1)
    api: HttpUrl = Field(validation_alias=AliasChoices("API_URL", "SERVICE_URL"))
`;
    const reads = findPythonReads(text);
    expect(reads.map(({ name, isRequired }) => [name, isRequired])).toEqual([
      ["APP_DEBUG", false],
      ["APP_WORKERS", false],
      ["API_URL", true],
    ]);
    expect(formatsOf(reads)).toEqual({
      APP_DEBUG: "boolean",
      APP_WORKERS: { type: "integer", minimum: 1 },
      API_URL: { type: "url", schemes: ["http", "https"] },
    });
    expect(reads[2]?.aliases).toEqual(["SERVICE_URL"]);
  });
});

test("conversions of Python, django-environ and decouple give formats", () => {
  expect(
    formatsOf(
      findPythonReads(
        'A = int(os.environ["A"])\nB = float(os.getenv("B"))\nC = str(os.environ["C"])\nD = print(os.environ["D"])',
      ),
    ),
  ).toEqual({ A: "integer", B: "number" });
  expect(
    formatsOf(
      findPythonReads('import environ\nenv = environ.Env()\nenv.bool("A"); env.int("PORT", default=1); env.str("C")'),
    ),
  ).toEqual({ A: "boolean", PORT: "port" });
  expect(
    formatsOf(
      findPythonReads('from decouple import config\nconfig("A", cast=bool, default=False); config("B", cast=Csv())'),
    ),
  ).toEqual({ A: "boolean" });
});

test("the settings of FastAPI's full-stack template give names and formats", () => {
  const text = `import secrets
import warnings
from typing import Annotated, Any, Literal
from pydantic import AnyUrl, BeforeValidator, EmailStr, HttpUrl, PostgresDsn, computed_field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

def parse_cors(v: Any) -> list[str] | str:
    return v

class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        # Use top level .env file (one level above ./backend/)
        env_file="../.env",
        env_ignore_empty=True,
        extra="ignore",
    )
    API_V1_STR: str = "/api/v1"
    SECRET_KEY: str = secrets.token_urlsafe(32)
    # 60 minutes * 24 hours * 8 days = 8 days
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 60 * 24 * 8
    FRONTEND_HOST: str = "http://localhost:5173"
    ENVIRONMENT: Literal["local", "staging", "production"] = "local"

    BACKEND_CORS_ORIGINS: Annotated[
        list[AnyUrl] | str, BeforeValidator(parse_cors)
    ] = []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def all_cors_origins(self) -> list[str]:
        return [str(origin).rstrip("/") for origin in self.BACKEND_CORS_ORIGINS]

    PROJECT_NAME: str
    SENTRY_DSN: HttpUrl | None = None
    POSTGRES_SERVER: str
    POSTGRES_PORT: int = 5432
    POSTGRES_USER: str
    POSTGRES_PASSWORD: str = ""

    SMTP_TLS: bool = True
    SMTP_PORT: int = 587
    SMTP_HOST: str | None = None
    EMAILS_FROM_EMAIL: EmailStr | None = None
    FIRST_SUPERUSER: EmailStr
    FIRST_SUPERUSER_PASSWORD: str
`;
  const reads = findPythonReads(text);
  expect(formatsOf(reads)).toEqual({
    ACCESS_TOKEN_EXPIRE_MINUTES: "integer",
    ENVIRONMENT: { type: "enum", values: ["local", "staging", "production"] },
    SENTRY_DSN: { type: "url", schemes: ["http", "https"] },
    POSTGRES_PORT: "port",
    SMTP_TLS: "boolean",
    SMTP_PORT: "port",
    EMAILS_FROM_EMAIL: "email",
    FIRST_SUPERUSER: "email",
  });
  expect(reads.flatMap(({ name, isRequired }) => (isRequired ? [name] : []))).toEqual([
    "PROJECT_NAME",
    "POSTGRES_SERVER",
    "POSTGRES_USER",
    "FIRST_SUPERUSER",
    "FIRST_SUPERUSER_PASSWORD",
  ]);
});
