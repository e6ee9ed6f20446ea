/** The name of the credential in messages and reports, if a start uses the login of Pulumi's CLI. */
export const LOGIN = "the login of Pulumi's CLI";
