# Calls a stub of a Google API for LASTS ms as a script beside gcloud does, and prints how many calls there were, and which failed.
# TOKEN is a command that prints the access token: one that reads the file at each call, or one that knows it from the start.
end=$(($(date +%s%3N) + LASTS))
calls=0
failed=
while [ "$(date +%s%3N)" -lt "$end" ]; do
  calls=$((calls + 1))
  error=$(printf 'Authorization: Bearer %s' "$(eval "$TOKEN")" |
    curl --silent --show-error --fail --header @- --output /dev/null "$GOOGLE_API/script" 2>&1) ||
    failed="$failed,\"$(printf %s "$error" | tr '\n"\\' '   ')\""
  sleep 0.25
done
printf '{"calls":%s,"failed":[%s]}\n' "$calls" "${failed#,}"
