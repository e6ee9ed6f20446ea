# Calls STS and S3 by the AWS CLI for LASTS ms, and prints how many calls there were, and which failed.
end=$(($(date +%s%3N) + LASTS))
calls=0
failed=
while [ "$(date +%s%3N)" -lt "$end" ]; do
  for command in 'sts get-caller-identity' 's3api list-buckets'; do
    calls=$((calls + 1))
    error=$(python3 -m awscli $command 2>&1 >/dev/null) || failed="$failed,\"$(printf %s "$error" | tr '\n"\\' '   ')\""
  done
done
printf '{"calls":%s,"failed":[%s]}\n' "$calls" "${failed#,}"
