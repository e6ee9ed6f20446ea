// Calls a stub of a Google API with golang.org/x/oauth2 for LASTS ms, and prints how many calls there were, and which failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/oauth2/google"
)

func client() (*http.Client, error) {
	return google.DefaultClient(context.Background(), "https://www.googleapis.com/auth/cloud-platform")
}

func call(path string, client *http.Client, err error) error {
	if err != nil {
		return err
	}
	answer, err := client.Get(os.Getenv("GOOGLE_API") + "/" + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

func main() {
	kept, err := client()
	if err != nil {
		panic(err)
	}
	lasts, err := strconv.Atoi(os.Getenv("LASTS"))
	if err != nil {
		panic(err)
	}
	calls, failed := 0, []string{}
	for end := time.Now().Add(time.Duration(lasts) * time.Millisecond); time.Now().Before(end); {
		fresh, err := client()
		for _, err := range []error{call("kept", kept, nil), call("new", fresh, err)} {
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
