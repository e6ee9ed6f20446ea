// Calls STS and S3 by the SDK for Go for LASTS ms, and prints how many calls there were, and which failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func main() {
	ctx := context.Background()
	configuration, err := config.LoadDefaultConfig(ctx, config.WithRetryMaxAttempts(1))
	if err != nil {
		panic(err)
	}
	identity := sts.NewFromConfig(configuration)
	buckets := s3.NewFromConfig(configuration)
	lasts, err := strconv.Atoi(os.Getenv("LASTS"))
	if err != nil {
		panic(err)
	}
	calls, failed := 0, []string{}
	for end := time.Now().Add(time.Duration(lasts) * time.Millisecond); time.Now().Before(end); {
		_, one := identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		_, other := buckets.ListBuckets(ctx, &s3.ListBucketsInput{})
		for _, err := range []error{one, other} {
			calls++
			if err != nil {
				failed = append(failed, err.Error())
			}
		}
		time.Sleep(250 * time.Millisecond)
	}
	text, err := json.Marshal(map[string]any{"calls": calls, "failed": failed})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}
