# Asks a stub of Entra for tokens for LASTS ms, as a script that starts Terraform again and again causes it, and prints how many
# calls there were, and which failed. ASSERTION is a command that prints the token of the caller.
end=$(($(date +%s%3N) + LASTS))
calls=0
failed=
while [ "$(date +%s%3N)" -lt "$end" ]; do
  calls=$((calls + 1))
  error=$(printf %s "$(eval "$ASSERTION")" | curl --silent --show-error --fail --cacert "$AUTHORITY" --output /dev/null \
    --data-urlencode client_assertion@- \
    --data client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    --data grant_type=client_credentials --data "client_id=$ARM_CLIENT_ID" \
    --data scope=https://management.azure.com/.default \
    "$AZURE_AUTHORITY_HOST/$ARM_TENANT_ID/oauth2/v2.0/token" 2>&1) ||
    failed="$failed,\"$(printf %s "$error" | tr '\n"\\' '   ')\""
  sleep 0.25
done
printf '{"calls":%s,"failed":[%s]}\n' "$calls" "${failed#,}"
