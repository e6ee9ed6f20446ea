/** The name of the credential in messages. */
export const LOGIN = "the login of Pulumi's CLI";
