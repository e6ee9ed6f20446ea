// Evaluates definitions by the evaluator that Pulumi publishes, for a comparison with the local ESC server. Standard input: an array
// of {"name", "definition", "environments", "check"}, the last two optional: definitions by the names that imports have, and
// whether to evaluate without opening. Standard output: an array of {"environment", "diagnostics"}.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/esc"
	"github.com/pulumi/esc/eval"
	"github.com/pulumi/esc/schema"
	"github.com/pulumi/esc/syntax"
)

type job struct {
	Name         string            `json:"name"`
	Definition   string            `json:"definition"`
	Environments map[string]string `json:"environments"`
	Check        bool              `json:"check"`
}

type position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

type diagnostic struct {
	Summary     string    `json:"summary"`
	Path        string    `json:"path"`
	Environment string    `json:"environment"`
	Begin       *position `json:"begin"`
}

type result struct {
	Environment *esc.Environment `json:"environment"`
	Diagnostics []diagnostic     `json:"diagnostics"`
}

// What the service adds to the evaluator: other environments, encryption, and a provider that the comparison's server has, too.
type world struct{ environments map[string]string }

func (w world) LoadProvider(_ context.Context, name string) (esc.Provider, error) {
	if name != "test-login" {
		return nil, fmt.Errorf("unknown provider %q", name)
	}
	return login{}, nil
}

func (w world) LoadRotator(_ context.Context, name string) (esc.Rotator, error) {
	return nil, fmt.Errorf("unknown rotator %q", name)
}

func (w world) LoadEnvironment(ctx context.Context, name string) ([]byte, eval.Decrypter, error) {
	text, ok := w.environments[name]
	if !ok {
		return nil, nil, errors.New("not found")
	}
	stored, err := eval.EncryptSecrets(ctx, name, []byte(text), w)
	return stored, w, err
}

// The shortest envelope has 16 bytes.
const padding = "sixteen bytes --"

func (w world) Encrypt(_ context.Context, value []byte) ([]byte, error) {
	return append([]byte(padding), value...), nil
}

func (w world) Decrypt(_ context.Context, value []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(value, []byte(padding))
	if !ok {
		return nil, errors.New("not encrypted here")
	}
	return plain, nil
}

type login struct{}

func (login) Schema() (*schema.Schema, *schema.Schema) {
	return schema.Always(), schema.Record(schema.SchemaMap{"user": schema.String().Schema(), "key": schema.String().Schema()}).Schema()
}

func (login) Open(context.Context, map[string]esc.Value, esc.EnvExecContext) (esc.Value, error) {
	return esc.NewValue(map[string]esc.Value{"user": esc.NewValue("u"), "key": esc.NewSecret("k")}), nil
}

func evaluate(j job) (result, error) {
	ctx := context.Background()
	w := world{j.Environments}
	text := []byte(j.Definition)
	// As the service stores it. What is no YAML is not stored; the check of a definition reports it.
	if stored, err := eval.EncryptSecrets(ctx, j.Name, text, w); err == nil {
		text = stored
	}
	decl, found, err := eval.LoadYAMLBytes(j.Name, text)
	if err != nil {
		return result{}, err
	}
	res := result{Diagnostics: []diagnostic{}}
	if !found.HasErrors() {
		execution, err := esc.NewExecContext(map[string]esc.Value{})
		if err != nil {
			return result{}, err
		}
		var more syntax.Diagnostics
		if j.Check {
			res.Environment, more = eval.CheckEnvironment(ctx, j.Name, decl, w, w, w, execution, false)
		} else {
			res.Environment, more = eval.EvalEnvironment(ctx, j.Name, decl, w, w, w, execution)
		}
		found = append(found, more...)
	}
	for _, each := range found {
		d := diagnostic{Summary: each.Summary, Path: each.Path}
		if each.Subject != nil {
			d.Environment = each.Subject.Filename
			d.Begin = &position{each.Subject.Start.Line, each.Subject.Start.Column, each.Subject.Start.Byte}
		}
		res.Diagnostics = append(res.Diagnostics, d)
	}
	return res, nil
}

func run() error {
	var jobs []job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		return err
	}
	results := make([]result, 0, len(jobs))
	for _, each := range jobs {
		res, err := evaluate(each)
		if err != nil {
			return err
		}
		results = append(results, res)
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
