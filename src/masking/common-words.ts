/**
 * Values that are no secret wherever they stand: to mask them would spoil outputs and hide nothing. Without regard to
 * case. docs/masking.md lists them; those of fewer than six characters are never masked.
 */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `
    undefined default disabled enabled required optional unknown public private internal external
    production development staging testing preview sandbox
    notice warning verbose
    localhost 127.0.0.1 0.0.0.0 localhost.localdomain
    postgres postgresql mongodb rabbitmq username password secret changeme example anonymous administrator
    bearer basic-auth api_key service_account authorized_user external_account client_credentials
    googleapis.com https://accounts.google.com/o/oauth2/auth https://oauth2.googleapis.com/token
    https://accounts.google.com/o/oauth2/token https://www.googleapis.com/oauth2/v1/certs
    config
  `
    .trim()
    .split(/\s+/),
);
